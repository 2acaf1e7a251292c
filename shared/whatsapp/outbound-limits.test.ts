import { describe, expect, test } from "vitest";
import { buildMedia, buildReaction, buildTemplate, buildText } from "./outbound";
import { type Built, CALLBACK_DATA_CHARACTERS_MAX } from "./outbound-body";
import { buildContacts, buildLocation, CARD_TEXT_CHARACTERS_MAX, CONTACTS_MAX } from "./outbound-cards";
import { buildInteractive, type InteractiveInput } from "./outbound-interactive";
import { readTemplate } from "./template-definition";
import { fillTemplate } from "./template-fill";
import type { TemplateValues } from "./template-values";

const to = { phone: "+16505551234" };
const field = (built: Built) => (built.ok ? null : built.field);

type Input<T extends InteractiveInput["type"]> = Extract<InteractiveInput, { type: T }>;
const button: Input<"button"> = { type: "button", body: "b", buttons: [{ id: "1", title: "t" }] };
const list: Input<"list"> = {
  type: "list",
  body: "b",
  button: "open",
  sections: [{ rows: [{ id: "1", title: "t" }] }],
};
const cta: Input<"cta_url"> = { type: "cta_url", body: "b", display_text: "Go", url: "https://example.com" };
const flow: Input<"flow"> = { type: "flow", body: "b", flow_id: "1", flow_cta: "Go" };
const interactive = (input: InteractiveInput) => buildInteractive({ to }, input);
/** A filled template as the other builders answer: the first wrong field, or none. */
const filled = (category: string, components: object[], values: TemplateValues): Built => {
  const json = { id: "7", name: "t", language: "en_US", status: "APPROVED", category, components };
  const template = readTemplate(json);
  if (template === null) throw new Error("not a template");
  const result = fillTemplate(template, values);
  if (result.ok) return buildText({ to }, "x");
  return { ok: false, field: result.problems[0]?.field ?? "", problem: result.problems[0]?.problem ?? "" };
};
const withButton = (button: object) => [
  { type: "BODY", text: "Look" },
  { type: "BUTTONS", buttons: [button] },
];
const row = (more: object) => ({ ...list, sections: [{ rows: [{ id: "1", title: "t", ...more }] }] });

// Meta's pages "Messages", "Interactive messages" and "Contacts messages"; numbers are written out here, so that a
// changed constant fails.
const TEXTS: [name: string, max: number, wrong: string, build: (text: string) => Built][] = [
  ["the body of a text", 4096, "text", (text) => buildText({ to }, text)],
  ["a caption", 1024, "caption", (caption) => buildMedia({ to }, "image", { id: "1" }, { caption })],
  ["callback data", 512, "callback_data", (callbackData) => buildText({ to, callbackData }, "x")],
  [
    "a reply button's title",
    20,
    "buttons[0].title",
    (title) => interactive({ ...button, buttons: [{ id: "1", title }] }),
  ],
  [
    "a reply button's id",
    256,
    "buttons[0].id",
    (id) => interactive({ ...button, buttons: [{ id, title: "t" }] }),
  ],
  ["the body of buttons", 1024, "body", (body) => interactive({ ...button, body })],
  ["a header", 60, "header.text", (text) => interactive({ ...button, header: { type: "text", text } })],
  ["a footer", 60, "footer", (footer) => interactive({ ...button, footer })],
  ["the body of a list", 4096, "body", (body) => interactive({ ...list, body })],
  ["a list's button", 20, "button", (text) => interactive({ ...list, button: text })],
  [
    "a section's title",
    24,
    "sections[0].title",
    (title) => interactive({ ...list, sections: [{ title, rows: [{ id: "1", title: "t" }] }] }),
  ],
  ["a row's id", 200, "sections[0].rows[0].id", (id) => interactive(row({ id }))],
  ["a row's title", 24, "sections[0].rows[0].title", (title) => interactive(row({ title }))],
  [
    "a row's description",
    72,
    "sections[0].rows[0].description",
    (description) => interactive(row({ description })),
  ],
  ["the text of a link button", 20, "display_text", (display_text) => interactive({ ...cta, display_text })],
  ["the body of a link button", 1024, "body", (body) => interactive({ ...cta, body })],
  [
    "the body of a location request",
    1024,
    "body",
    (body) => interactive({ type: "location_request_message", body }),
  ],
  ["a flow's button", 30, "flow_cta", (flow_cta) => interactive({ ...flow, flow_cta })],
  ["the body of a flow", 1024, "body", (body) => interactive({ ...flow, body })],
  ["a video's caption", 1024, "caption", (caption) => buildMedia({ to }, "video", { id: "1" }, { caption })],
  [
    "a document's caption",
    1024,
    "caption",
    (caption) => buildMedia({ to }, "document", { id: "1" }, { caption }),
  ],
  // "Template components", "Coupon code templates", "Authentication templates".
  [
    "a template's body, filled in",
    1024,
    "body",
    (text) => filled("UTILITY", [{ type: "BODY", text: "{{1}}" }], { body: { "1": text } }),
  ],
  [
    "a coupon code",
    15,
    "buttons.0",
    (code) =>
      filled("MARKETING", withButton({ type: "COPY_CODE", text: "Copy" }), { buttons: { "0": code } }),
  ],
  [
    "a quick reply's payload",
    256,
    "buttons.0",
    (payload) =>
      filled("UTILITY", withButton({ type: "QUICK_REPLY", text: "Yes" }), { buttons: { "0": payload } }),
  ],
  [
    "a one-time code",
    15,
    "body.1",
    (code) =>
      filled(
        "AUTHENTICATION",
        [
          { type: "BODY", text: "{{1}} is your code." },
          { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy" }] },
        ],
        { body: { "1": code } },
      ),
  ],
  [
    "the name of a place",
    CARD_TEXT_CHARACTERS_MAX,
    "name",
    (name) => buildLocation({ to }, { latitude: 1, longitude: 1, name }),
  ],
];

describe.each(TEXTS)("%s", (_, max, wrong, build) => {
  test(`takes one character and ${max}, not none and not ${max + 1}`, () => {
    expect(field(build("x"))).toBeNull();
    expect(field(build("x".repeat(max)))).toBeNull();
    expect(field(build("x".repeat(max + 1)))).toBe(wrong);
  });

  test("counts an emoji of two UTF-16 units as one character", () => {
    expect(field(build("😀".repeat(max)))).toBeNull();
    expect(field(build(`${"😀".repeat(max)}x`))).toBe(wrong);
  });

  test("counts a letter and its combining accent as two characters", () => {
    expect(field(build("e\u0301".repeat(Math.floor(max / 2))))).toBeNull();
    expect(field(build("e\u0301".repeat(Math.floor(max / 2) + 1)))).toBe(wrong);
  });
});

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

// Counts: "Interactive reply buttons" (3), "Interactive lists" (10 sections, 10 rows), "Contacts messages" (257).
test.each([
  [
    "3 buttons",
    (count: number) =>
      interactive({ ...button, buttons: many(count, (i) => ({ id: `${i}`, title: `${i}` })) }),
    1,
    3,
    "buttons",
  ],
  [
    "10 rows",
    (count: number) =>
      interactive({ ...list, sections: [{ rows: many(count, (i) => ({ id: `${i}`, title: "t" })) }] }),
    1,
    10,
    "sections",
  ],
  [
    "10 sections",
    (count: number) =>
      interactive({
        ...list,
        sections: many(count, (i) => ({ title: `${i}`, rows: [{ id: `${i}`, title: "t" }] })),
      }),
    1,
    10,
    "sections",
  ],
  [
    "257 contacts",
    (count: number) =>
      buildContacts(
        { to },
        many(count, () => ({ name: { formatted_name: "A B", first_name: "A" } })),
      ),
    1,
    CONTACTS_MAX,
    "contacts",
  ],
])("at most %s", (_, build, min, max, wrong) => {
  expect(field(build(min))).toBeNull();
  expect(field(build(max))).toBeNull();
  expect(field(build(max + 1))).toBe(wrong);
  expect(field(build(min - 1))).toMatch(new RegExp(`^${wrong}`));
});

test("the documented numbers are the ones in force", () => {
  expect([CALLBACK_DATA_CHARACTERS_MAX, CONTACTS_MAX]).toEqual([512, 257]);
});

test.each([
  [
    "rows of several sections count together",
    {
      ...list,
      sections: many(2, (s) => ({ title: `${s}`, rows: many(6, (i) => ({ id: `${s}.${i}`, title: "t" })) })),
    },
    "sections",
  ],
  [
    "several sections need titles",
    { ...list, sections: many(2, (s) => ({ rows: [{ id: `${s}`, title: "t" }] })) },
    "sections",
  ],
  [
    "row ids are distinct",
    { ...list, sections: [{ rows: many(2, () => ({ id: "1", title: "t" })) }] },
    "sections",
  ],
  [
    "button ids are distinct",
    { ...button, buttons: many(2, (i) => ({ id: "1", title: `${i}` })) },
    "buttons",
  ],
  [
    "button titles are distinct",
    { ...button, buttons: many(2, (i) => ({ id: `${i}`, title: "t" })) },
    "buttons",
  ],
  ["a link button opens web addresses only", { ...cta, url: "javascript:alert(1)" }, "url"],
  [
    "a header's link is a web address",
    { ...button, header: { type: "image", image: { link: "file:///x" } } },
    "header.image",
  ],
] satisfies [string, InteractiveInput, string][])("%s", (_, input, wrong) => {
  expect(field(interactive(input))).toMatch(new RegExp(`^${wrong.replaceAll(".", "\\.")}`));
});

test.each([
  ["latitude", { latitude: 90, longitude: 0 }, null],
  ["latitude", { latitude: 90.1, longitude: 0 }, "latitude"],
  ["longitude", { latitude: 0, longitude: -180 }, null],
  ["longitude", { latitude: 0, longitude: -180.5 }, "longitude"],
])("a %s on its edge and beyond: %o", (_, location, expected) => {
  expect(field(buildLocation({ to }, location))).toBe(expected);
});

test.each([
  ["a card with nothing but a whole name", [{ name: { formatted_name: "Ana" } }], "contacts[0].name"],
  [
    "a birthday that is none",
    [{ name: { formatted_name: "A", first_name: "A" }, birthday: "12.8.2012" }],
    "contacts[0].birthday",
  ],
  [
    "a WhatsApp id with a plus",
    [{ name: { formatted_name: "A", first_name: "A" }, phones: [{ phone: "+1", wa_id: "+1650" }] }],
    "contacts[0].phones[0].wa_id",
  ],
  [
    "an address type of one's own",
    [{ name: { formatted_name: "A", first_name: "A" }, urls: [{ url: "mailto:a@b" }] }],
    "contacts[0].urls[0].url",
  ],
])("%s is refused with the path of the field", (_, contacts, expected) => {
  expect(field(buildContacts({ to }, contacts))).toBe(expected);
});

test("a reaction with a skin tone is one emoji, a template name has at most 512 characters", () => {
  expect(field(buildReaction({ to }, "wamid.X", "👩🏽‍🚀"))).toBeNull();
  expect(field(buildTemplate({ to }, "a".repeat(512), "en"))).toBeNull();
  expect(field(buildTemplate({ to }, "a".repeat(513), "en"))).toBe("name");
});

// Bodies: Meta's pages "Interactive reply buttons", "Interactive lists", "Call-to-action URL button", "Location
// request", "Flows > sending", "Location messages", "Contacts messages"; the values are ours.
describe("bodies as Meta documents them", () => {
  const content = (built: Built) => (built.ok ? built.body["interactive"] : built);

  test("reply buttons under a picture", () => {
    const header = { type: "image", image: { id: "77" } } as const;
    expect(content(interactive({ ...button, header, footer: "f" }))).toEqual({
      type: "button",
      header,
      body: { text: "b" },
      footer: { text: "f" },
      action: { buttons: [{ type: "reply", reply: { id: "1", title: "t" } }] },
    });
  });

  test("a document in the header carries its name", () => {
    const header = {
      type: "document",
      document: { link: "https://e.com/a.pdf" },
      filename: "a.pdf",
    } as const;
    expect(content(interactive({ ...button, header }))).toMatchObject({
      header: { type: "document", document: { link: "https://e.com/a.pdf", filename: "a.pdf" } },
    });
  });

  test("a list", () => {
    expect(content(interactive(list))).toEqual({
      type: "list",
      body: { text: "b" },
      action: { button: "open", sections: [{ rows: [{ id: "1", title: "t" }] }] },
    });
  });

  test("a link button", () => {
    expect(content(interactive(cta))).toMatchObject({
      action: { name: "cta_url", parameters: { display_text: "Go", url: "https://example.com" } },
    });
  });

  test("a request for the location", () => {
    expect(content(interactive({ type: "location_request_message", body: "Where?" }))).toEqual({
      type: "location_request_message",
      body: { text: "Where?" },
      action: { name: "send_location" },
    });
  });

  test("a flow that opens on a screen, and one that asks the endpoint", () => {
    expect(content(interactive({ ...flow, screen: "START", data: { a: 1 } }))).toMatchObject({
      action: {
        name: "flow",
        parameters: {
          flow_message_version: "3",
          flow_action: "navigate",
          flow_action_payload: { screen: "START", data: { a: 1 } },
        },
      },
    });
    expect(content(interactive(flow))).toMatchObject({
      action: { parameters: { flow_action: "data_exchange" } },
    });
  });

  test("a place and a card", () => {
    const place = { latitude: 37.44, longitude: -122.16, name: "Ph", address: "101 Forest Ave" };
    expect(buildLocation({ to }, place)).toMatchObject({
      ok: true,
      body: { type: "location", location: place },
    });
    const card = {
      name: { formatted_name: "Ana B", first_name: "Ana" },
      phones: [{ phone: "+1 650", type: "WORK" as const }],
    };
    expect(buildContacts({ to, replyTo: "wamid.Q" }, [card])).toMatchObject({
      ok: true,
      body: { type: "contacts", contacts: [card], context: { message_id: "wamid.Q" } },
    });
  });
});
