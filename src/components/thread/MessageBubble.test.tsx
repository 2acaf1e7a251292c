import { afterEach, describe, expect, test } from "vitest";
import type { Message } from "@/lib/backend";
import { render } from "../../../tests/support/render";
import { MessageBubble } from "./MessageBubble";

let unmount: (() => Promise<void>) | undefined;
afterEach(async () => unmount?.());

async function show(fields: Partial<Message>): Promise<HTMLElement> {
  const message: Message = {
    _id: "m1" as Message["_id"],
    direction: "outbound",
    type: "text",
    text: "Hello",
    reactions: [],
    status: "sent",
    timestamp: 1_800_000_000_000,
    sender: { kind: "user", name: "Ana" },
    ...fields,
  };
  const page = await render(
    <MessageBubble
      message={message}
      startsGroup
      isLast={false}
      customerName="Sheena"
      onReply={() => undefined}
      onShowQuoted={() => undefined}
    />,
  );
  unmount = page.unmount;
  return page.container;
}
const text = async (fields: Partial<Message>) => (await show(fields)).textContent ?? "";

describe("who sent a message", () => {
  test.each([
    [{ sender: { kind: "user", name: "Ana" } }, "Ana"],
    [{ sender: { kind: "key", name: "support-bot" } }, "API key support-bot"],
    [{ sender: { kind: "phone" } }, "From the phone"],
    [{ direction: "inbound", status: "received", sender: { kind: "customer" } }, "Sheena: "],
  ] as const)("%j is told as %j", async (fields, expected) => {
    expect(await text(fields)).toContain(expected);
  });
});

describe("a message that did not arrive", () => {
  test("says why", async () => {
    const shown = await text({
      status: "failed",
      error: { code: "131026", message: "Message undeliverable." },
    });
    expect(shown).toContain("Not sent. Message undeliverable. (131026)");
  });

  test("says so when nobody knows why", async () => {
    expect(await text({ status: "failed" })).toContain("WhatsApp gave no reason.");
  });

  test("is told apart from one of which it is not known", async () => {
    const shown = await text({ status: "unknown" });
    expect(shown).toContain("May have been sent.");
    expect(shown).not.toContain("Not sent");
  });
});

describe("a file", () => {
  const media = { mime: "image/jpeg", filename: "cake.jpg", bytes: 1200 };

  test("on its way keeps its room", async () => {
    expect(await text({ type: "image", text: undefined, media: { ...media, state: "pending" } })).toContain(
      "Photo is being fetched",
    );
  });

  test("that is lost says so, as does one without an address", async () => {
    for (const state of ["failed", "ready"] as const) {
      expect(await text({ type: "image", text: undefined, media: { ...media, state } })).toContain(
        "Photo could not be fetched",
      );
      await unmount?.();
    }
  });

  test.each([
    ["image", "img[alt='Photo from Sheena']"],
    ["sticker", "img[alt='Sticker from Sheena']"],
    ["video", "video[aria-label='Video from Sheena']"],
    ["audio", "audio[aria-label='Audio from Sheena']"],
    ["voice", "audio[aria-label='Voice message from Sheena']"],
    ["document", "a[download='cake.jpg']"],
  ])("of type %s is drawn as %s", async (type, selector) => {
    const container = await show({ type, media: { ...media, state: "ready", url: "http://127.0.0.1/file" } });
    expect(container.querySelector(selector)).not.toBeNull();
    expect(container.textContent).toContain("Hello");
  });
});

test("what cannot be shown is named", async () => {
  expect(await text({ type: "order", text: undefined, unsupportedType: "order" })).toContain(
    "An order cannot be shown here",
  );
  expect(await text({ type: "poll", text: undefined, unsupportedType: "poll" })).toContain("type “poll”");
});

test("a reaction says whose it is", async () => {
  const container = await show({ reactions: [{ emoji: "❤", from: "customer" }] });
  expect(container.querySelector("[aria-label=Reactions]")?.textContent).toBe("❤ from Sheena");
});

test("an answer shows what it answers", async () => {
  expect(await text({ replyTo: { wamid: "w1", preview: "Do you ship?" } })).toContain(
    "In reply to: Do you ship?",
  );
});

test("a message that WhatsApp does not know yet cannot be quoted", async () => {
  const byId = (container: HTMLElement) => container.querySelector("[aria-label='Reply to this message']");
  expect(byId(await show({ wamid: undefined }))).toBeNull();
  await unmount?.();
  expect(byId(await show({ wamid: "wamid.1" }))).not.toBeNull();
});
