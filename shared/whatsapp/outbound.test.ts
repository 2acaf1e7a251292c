import { describe, expect, test } from "vitest";
import { type Built, buildMedia, buildReaction, buildRead, buildTemplate, buildText } from "./outbound";

const to = { phone: "+16505551234" };
const body = (built: Built) => (built.ok ? built.body : built);
const field = (built: Built) => (built.ok ? null : built.field);

// Expected bodies follow Meta's page "Messages > text, image, reaction, template"; the values are ours.
describe("bodies as Meta documents them", () => {
  test("a text that quotes and carries callback data", () => {
    expect(
      body(buildText({ to, replyTo: "wamid.Q", callbackData: "p1:a:1" }, "Hi", { previewUrl: true })),
    ).toEqual({
      messaging_product: "whatsapp",
      recipient_type: "individual",
      to: "+16505551234",
      type: "text",
      text: { body: "Hi", preview_url: true },
      context: { message_id: "wamid.Q" },
      biz_opaque_callback_data: "p1:a:1",
    });
  });

  test("a text to somebody known by a user id only", () => {
    const built = body(buildText({ to: { userId: "US.13491208655302741918" } }, "Hi"));
    expect(built).toMatchObject({ recipient: "US.13491208655302741918" });
    expect(built).not.toHaveProperty("to");
  });

  test("a file by id and by link", () => {
    expect(
      body(buildMedia({ to }, "document", { id: "123" }, { caption: "c", filename: "f.pdf" })),
    ).toMatchObject({
      type: "document",
      document: { id: "123", caption: "c", filename: "f.pdf" },
    });
    expect(
      body(buildMedia({ to }, "audio", { link: "https://example.com/a.ogg" }, { voice: true })),
    ).toMatchObject({
      type: "audio",
      audio: { link: "https://example.com/a.ogg", voice: true },
    });
  });

  test("a reaction and its removal", () => {
    expect(body(buildReaction({ to }, "wamid.X", "👍🏽"))).toMatchObject({
      reaction: { message_id: "wamid.X", emoji: "👍🏽" },
    });
    expect(body(buildReaction({ to }, "wamid.X", null))).toMatchObject({
      reaction: { message_id: "wamid.X", emoji: "" },
    });
  });

  test("a template", () => {
    const components = [{ type: "body" as const, parameters: [{ type: "text", text: "Ana" }] }];
    expect(body(buildTemplate({ to }, "order_update", "en_US", components))).toMatchObject({
      type: "template",
      template: { name: "order_update", language: { code: "en_US" }, components },
    });
    expect(body(buildTemplate({ to }, "hello_world", "de"))).toMatchObject({
      template: { name: "hello_world" },
    });
  });

  test("reading and typing", () => {
    expect(buildRead("wamid.X")).toEqual({
      messaging_product: "whatsapp",
      status: "read",
      message_id: "wamid.X",
    });
    expect(buildRead("wamid.X", { typing: true })).toMatchObject({ typing_indicator: { type: "text" } });
  });
});

test("the longest text passes and one character more does not, counted as people count", () => {
  expect(buildText({ to }, "😀".repeat(4096)).ok).toBe(true);
  expect(field(buildText({ to }, "😀".repeat(4097)))).toBe("text");
});

test("text leaves without NUL and lone surrogates", () => {
  expect(body(buildText({ to }, "a\u0000b\ud800"))).toMatchObject({ text: { body: "ab\uFFFD" } });
});

test.each([
  ["an empty text", buildText({ to }, " \n"), "text"],
  ["a text of nothing but NUL", buildText({ to }, "\u0000"), "text"],
  ["a number without plus", buildText({ to: { phone: "16505551234" } }, "x"), "to"],
  ["a number with blanks", buildText({ to: { phone: "+1 650" } }, "x"), "to"],
  ["a user id that is a number", buildText({ to: { userId: "16505551234" } }, "x"), "to"],
  ["an empty quote", buildText({ to, replyTo: "" }, "x"), "reply_to"],
  ["callback data beyond the limit", buildText({ to, callbackData: "x".repeat(513) }, "x"), "callback_data"],
  [
    "a caption beyond the limit",
    buildMedia({ to }, "image", { id: "1" }, { caption: "x".repeat(1025) }),
    "caption",
  ],
  ["a caption on a sticker", buildMedia({ to }, "sticker", { id: "1" }, { caption: "x" }), "caption"],
  ["a file name on an image", buildMedia({ to }, "image", { id: "1" }, { filename: "x" }), "filename"],
  ["a voice video", buildMedia({ to }, "video", { id: "1" }, { voice: true }), "voice"],
  ["an empty media id", buildMedia({ to }, "image", { id: "" }), "id"],
  ["a link to a file of this machine", buildMedia({ to }, "image", { link: "file:///etc/passwd" }), "link"],
  ["a link that is none", buildMedia({ to }, "image", { link: "example.com/a.png" }), "link"],
  ["a reaction with words", buildReaction({ to }, "wamid.X", "nice"), "emoji"],
  ["a reaction with two emoji", buildReaction({ to }, "wamid.X", "👍👍"), "emoji"],
  ["a reaction to nothing", buildReaction({ to }, "", "👍"), "message_id"],
  ["a template name in capitals", buildTemplate({ to }, "Hello", "en_US"), "name"],
  ["a language that is none", buildTemplate({ to }, "hello", "English"), "language"],
])("%s is refused with the field that is wrong", (_, built, expected) => {
  expect(field(built)).toBe(expected);
});
