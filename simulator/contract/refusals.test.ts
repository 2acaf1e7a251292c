import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, startBench, WABA } from "../test-support";
import { DOCUMENTED_TEMPLATES } from "./documented-templates";

let bench: Bench;
let image = "";
beforeAll(async () => {
  bench = await startBench();
  await bench.control("settings", { rateLimits: false });
  for (const template of DOCUMENTED_TEMPLATES) await bench.graph(`/${WABA}/message_templates`, template);
  await bench.control("clock", { advanceMs: 10_000 });
  image = await bench.upload("image/png");
});
beforeEach(() => bench.control("clock", { advanceMs: 1_000 }));
afterAll(() => bench.close());

/** Meta's code for a message, or null when it is accepted. */
const codeOf = async (message: object): Promise<number | null> => {
  const answer = await bench.send(message);
  if (answer.status !== 200) expect(answer.body.error.message).toEqual(expect.any(String));
  return answer.body.error?.code ?? null;
};

const interactive = (content: object) => ({
  type: "interactive",
  interactive: { body: { text: "Body" }, ...content },
});
const replies = (...buttons: object[]) => ({
  type: "button",
  action: { buttons: buttons.map((reply) => ({ type: "reply", reply })) },
});
const yes = { id: "yes", title: "Yes" };
const list = (sections: object[], button = "Open") => ({ type: "list", action: { button, sections } });
const rows = (count: number, first = 0) =>
  Array.from({ length: count }, (_, n) => ({ id: `r${first + n}`, title: "Row" }));
const rowWith = (more: object) => list([{ rows: [{ id: "r", title: "Row", ...more }] }]);
const cta = (parameters: object) => ({ type: "cta_url", action: { name: "cta_url", parameters } });
const link = { display_text: "Go", url: "https://example.com" };
const flow = (parameters: object) => ({
  type: "flow",
  action: {
    name: "flow",
    parameters: { flow_message_version: "3", flow_id: "1", flow_cta: "Go", ...parameters },
  },
});
const askPlace = { type: "location_request_message", action: { name: "send_location" } };
const textHeader = (text: string) => ({ header: { type: "text", text } });

describe("each limit takes its last value and refuses the next, whatever the characters are", () => {
  const LIMITS: readonly (readonly [
    what: string,
    max: number,
    code: number,
    make: (text: string) => object,
  ])[] = [
    ["text body", 4096, 100, (body) => ({ type: "text", text: { body } })],
    ["caption", 1024, 100, (caption) => ({ type: "image", image: { id: image, caption } })],
    ["header", 60, 100, (text) => interactive({ ...replies(yes), ...textHeader(text) })],
    ["footer", 60, 100, (text) => interactive({ ...replies(yes), footer: { text } })],
    ["body of buttons", 1024, 100, (text) => interactive({ ...replies(yes), body: { text } })],
    ["body of a list", 4096, 100, (text) => interactive({ ...list([{ rows: rows(1) }]), body: { text } })],
    ["body of a link", 1024, 100, (text) => interactive({ ...cta(link), body: { text } })],
    ["body of a flow", 1024, 100, (text) => interactive({ ...flow({}), body: { text } })],
    ["body of a location request", 1024, 100, (text) => interactive({ ...askPlace, body: { text } })],
    ["button title", 20, 131009, (title) => interactive(replies({ id: "a", title }))],
    ["button id", 256, 131009, (id) => interactive(replies({ id, title: "a" }))],
    ["list button", 20, 100, (button) => interactive(list([{ rows: rows(1) }], button))],
    ["section title", 24, 131009, (title) => interactive(list([{ title, rows: rows(1) }]))],
    ["row id", 200, 131009, (id) => interactive(rowWith({ id }))],
    ["row title", 24, 131009, (title) => interactive(rowWith({ title }))],
    ["row description", 72, 131009, (description) => interactive(rowWith({ description }))],
    ["link label", 20, 100, (display_text) => interactive(cta({ ...link, display_text }))],
    ["flow label", 30, 100, (flow_cta) => interactive(flow({ flow_cta }))],
  ];
  test.each(LIMITS)("%s: %i", async (_, max, code, make) => {
    for (const character of ["x", "😀"]) {
      expect(await codeOf(make(character.repeat(max)))).toBeNull();
      expect(await codeOf(make(character.repeat(max + 1)))).toBe(code);
    }
    const accented = "e\u0301";
    expect(await codeOf(make(accented.repeat(max / 2)))).toBeNull();
    expect(await codeOf(make(accented.repeat(max / 2 + 1)))).toBe(code);
  });
});

const REFUSED: readonly (readonly [what: string, code: number | null, message: () => object])[] = [
  // Interactive messages.
  ["a kind that does not exist", 100, () => interactive({ type: "hologram", action: {} })],
  ["a kind called like a built-in", 100, () => interactive({ type: "constructor", action: {} })],
  ["no action", 131008, () => interactive({ type: "button" })],
  ["no body", 131008, () => ({ type: "interactive", interactive: replies(yes) })],
  ["no buttons", 131009, () => interactive(replies())],
  [
    "a button of another kind",
    131009,
    () => interactive({ type: "button", action: { buttons: [{ type: "url" }] } }),
  ],
  [
    "a header that lists do not take",
    131009,
    () => interactive({ ...list([{ rows: rows(1) }]), header: { type: "image", image: { id: image } } }),
  ],
  [
    "a picture in the header of nobody",
    100,
    () => interactive({ ...replies(yes), header: { type: "image", image: { id: "1" } } }),
  ],
  ["a header without its file", 131008, () => interactive({ ...replies(yes), header: { type: "video" } })],
  ["a header on a location request", 131009, () => interactive({ ...askPlace, ...textHeader("x") })],
  ["an empty footer", 131008, () => interactive({ ...replies(yes), footer: { text: " " } })],
  [
    "ten rows in two sections",
    null,
    () =>
      interactive(
        list([
          { title: "a", rows: rows(5) },
          { title: "b", rows: rows(5, 5) },
        ]),
      ),
  ],
  [
    "eleven rows in two sections",
    131009,
    () =>
      interactive(
        list([
          { title: "a", rows: rows(6) },
          { title: "b", rows: rows(5, 6) },
        ]),
      ),
  ],
  [
    "eleven sections",
    131009,
    () => interactive(list(Array.from({ length: 11 }, (_, n) => ({ title: `${n}`, rows: rows(1, n) })))),
  ],
  [
    "two sections of which one has no title",
    131008,
    () => interactive(list([{ title: "a", rows: rows(1) }, { rows: rows(1, 1) }])),
  ],
  ["two rows of one id", 131009, () => interactive(list([{ rows: [...rows(1), ...rows(1)] }]))],
  ["a link that opens no web page", 131009, () => interactive(cta({ ...link, url: "javascript:alert(1)" }))],
  ["a link without its address", 131008, () => interactive(cta({ display_text: "Go" }))],
  ["an action of another name", 131009, () => interactive({ ...askPlace, action: { name: "cta_url" } })],
  ["a flow without id and name", 131008, () => interactive(flow({ flow_id: undefined }))],
  ["a flow with id and name", 131009, () => interactive(flow({ flow_name: "x" }))],
  ["a flow of an old version", 131009, () => interactive(flow({ flow_message_version: "2" }))],
  ["a flow that opens no screen", 131008, () => interactive(flow({ flow_action_payload: {} }))],
  ["a flow that asks its endpoint", null, () => interactive(flow({ flow_action: "data_exchange" }))],
  ["a carousel of one card", 131009, () => interactive({ type: "carousel", action: { cards: [{}] } })],
  [
    "a product list without header",
    131008,
    () => interactive({ type: "product_list", action: { catalog_id: "1" } }),
  ],
  [
    "a product",
    null,
    () => ({
      type: "interactive",
      interactive: { type: "product", action: { catalog_id: "1", product_retailer_id: "2" } },
    }),
  ],
  // Files, cards and kinds.
  ["a caption on a sound", 100, () => ({ type: "audio", audio: { id: image, caption: "x" } })],
  ["a name on a picture", 100, () => ({ type: "image", image: { id: image, filename: "x" } })],
  ["a file without id and link", 131008, () => ({ type: "image", image: { caption: "x" } })],
  ["a link to a local file", 100, () => ({ type: "image", image: { link: "file:///etc/passwd" } })],
  [
    "a card with nothing but a whole name",
    131009,
    () => ({ type: "contacts", contacts: [{ name: { formatted_name: "A" } }] }),
  ],
  [
    "a card with a birthday that is none",
    131009,
    () => ({
      type: "contacts",
      contacts: [{ name: { formatted_name: "A", first_name: "A" }, birthday: "12.8." }],
    }),
  ],
  ["a kind that only customers send", 131051, () => ({ type: "order", order: {} })],
];

test.each(REFUSED)("%s: %s", async (_, code, message) => {
  expect(await codeOf(message())).toBe(code);
});

describe("a template", () => {
  const text = (value: string, more: object = {}) => ({ type: "text", text: value, ...more });
  const body = (...parameters: object[]) => ({ type: "body", parameters });
  const header = (...parameters: object[]) => ({ type: "header", parameters });
  const button = (sub_type: string, index: number, ...parameters: object[]) => ({
    type: "button",
    sub_type,
    index: String(index),
    parameters,
  });
  const three = body(text("a"), text("b"), text("c"));
  const track = button("url", 2, text("1042"));
  const code = (value: string) => button("copy_code", 0, { type: "coupon_code", coupon_code: value });
  const picture = () => header({ type: "image", image: { id: image } });
  const card = (card_index: number) => ({
    card_index,
    components: [picture(), body(text("20%")), button("url", 1, text("aloe"))],
  });
  const cards = (list: object[]) => ({ type: "carousel", cards: list });

  const ROWS: readonly (readonly [
    what: string,
    code: number | null,
    name: string,
    components: () => object[],
  ])[] = [
    ["with all that it needs", null, "all_texts", () => [header(text("1")), three, track]],
    ["without the text of its header", 132000, "all_texts", () => [three, track]],
    [
      "with a parameter too many",
      132000,
      "all_texts",
      () => [header(text("1")), body(text("a"), text("b"), text("c"), text("d")), track],
    ],
    [
      "with an empty value",
      131008,
      "all_texts",
      () => [header(text("1")), body(text("a"), text(""), text("c")), track],
    ],
    [
      "with a picture among its texts",
      132012,
      "all_texts",
      () => [header(text("1")), body(text("a"), text("b"), { type: "image", image: { id: image } }), track],
    ],
    [
      "with money that has no amount",
      131008,
      "all_texts",
      () => [
        header(text("1")),
        body(text("a"), { type: "currency", currency: { code: "USD" } }, text("c")),
        track,
      ],
    ],
    [
      "with a line break in a value",
      132007,
      "all_texts",
      () => [header(text("1")), body(text("a\nb"), text("b"), text("c")), track],
    ],
    [
      "with four blanks in a row",
      null,
      "all_texts",
      () => [header(text("1")), body(text("a    b"), text("b"), text("c")), track],
    ],
    [
      "with five blanks in a row",
      132007,
      "all_texts",
      () => [header(text("1")), body(text("a     b"), text("b"), text("c")), track],
    ],
    [
      "that is too long when it is filled in",
      132005,
      "all_texts",
      () => [header(text("1")), body(text("x".repeat(1024)), text("b"), text("c")), track],
    ],
    ["without the end of its link", 131008, "all_texts", () => [header(text("1")), three]],
    [
      "with a button that it does not have",
      132018,
      "all_texts",
      () => [header(text("1")), three, track, button("url", 7, text("x"))],
    ],
    [
      "with a button of another kind",
      132012,
      "all_texts",
      () => [header(text("1")), three, track, button("url", 0, text("x"))],
    ],
    [
      "with a payload that is too long",
      132012,
      "all_texts",
      () => [
        header(text("1")),
        three,
        track,
        button("quick_reply", 0, { type: "payload", payload: "x".repeat(257) }),
      ],
    ],
    ["with a component of another name", 100, "all_texts", () => [{ type: "sidebar" }]],
    ["with names, given without them", 100, "by_name", () => [body(text("a"), text("b"))]],
    [
      "with names, one of them another",
      100,
      "by_name",
      () => [body(text("a", { parameter_name: "first_name" }), text("b", { parameter_name: "order" }))],
    ],
    ["that wants a film and gets none", 132012, "with_video", () => []],
    ["that wants a film and gets a picture", 132012, "with_video", () => [picture()]],
    [
      "that wants a place and gets half of one",
      131008,
      "with_place",
      () => [header({ type: "location", location: { latitude: 1 } })],
    ],
    ["with its coupon", null, "coupon", () => [code("SPRING20")]],
    ["without its coupon", 131008, "coupon", () => []],
    ["with a coupon of sixteen characters", 132012, "coupon", () => [code("x".repeat(16))]],
    ["without the end of its offer", 131008, "offer", () => [picture(), code("ALOE")]],
    ["with both its cards", null, "cards", () => [body(text("a")), cards([card(1), card(0)])]],
    ["with one of two cards", 132000, "cards", () => [body(text("a")), cards([card(0)])]],
    ["with the same card twice", 132012, "cards", () => [body(text("a")), cards([card(0), card(0)])]],
    [
      "with a card that lacks its link",
      131008,
      "cards",
      () => [body(text("a")), cards([card(0), { card_index: 1, components: [picture(), body(text("x"))] }])],
    ],
    [
      "with a code on the button that is not that of the body",
      132012,
      "sign_in",
      () => [body(text("1234")), button("url", 0, text("4321"))],
    ],
  ];
  test.each(ROWS)("%s: %s", async (_, expected, name, components) => {
    const message = { name, language: { code: "en_US" }, components: components() };
    expect(await codeOf({ type: "template", template: message })).toBe(expected);
  });

  test("that carries a code does not go to a user id alone: 131062", async () => {
    const components = [body(text("1234")), button("url", 0, text("1234"))];
    const answer = await bench.graph(`/${NUMBER}/messages`, {
      messaging_product: "whatsapp",
      recipient: "US.13491208655302741918",
      type: "template",
      template: { name: "sign_in", language: { code: "en_US" }, components },
    });
    expect([answer.status, answer.body.error.code]).toEqual([400, 131062]);
  });

  test.each([
    ["one card", [{ components: [{ type: "HEADER", format: "LOCATION" }] }]],
    ["cards of different makes", [{ components: [{ type: "BODY", text: "x" }] }, { components: [] }]],
    ["cards without a picture", [{ components: [] }, { components: [] }]],
  ])("is not made with %s", async (_, list) => {
    const answer = await bench.graph(`/${WABA}/message_templates`, {
      name: "bad_cards",
      language: "en_US",
      category: "MARKETING",
      components: [
        { type: "BODY", text: "Look." },
        { type: "CAROUSEL", cards: list },
      ],
    });
    expect(answer.body.error).toMatchObject({ code: 100, error_subcode: 2388072 });
  });
});
