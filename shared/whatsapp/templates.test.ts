import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTemplateComponents } from "./template-components";
import { readTemplate, type TemplateDefinition } from "./template-definition";
import { fillTemplate } from "./template-fill";
import { type TemplateValues, templateParamsSchema } from "./template-values";

/** Shapes as Meta's page "Template components" has them; words and ids are ours. */
const row = (components: unknown[], more: object = {}) => ({
  id: "7",
  name: "t",
  language: "en_US",
  status: "APPROVED",
  category: "UTILITY",
  components,
  ...more,
});

function template(components: unknown[], more: object = {}): TemplateDefinition {
  const read = readTemplate(row(components, more));
  if (read === null) throw new Error("not a template");
  return read;
}

const body = (text: string, example?: object) => ({ type: "BODY", text, ...(example && { example }) });
const order = template([
  { type: "HEADER", format: "TEXT", text: "Order {{1}}", example: { header_text: ["1042"] } },
  body("Hi {{1}}, your order {{2}} left.", { body_text: [["Ana", "1042"]] }),
  { type: "FOOTER", text: "Bye" },
  {
    type: "BUTTONS",
    buttons: [
      { type: "QUICK_REPLY", text: "Thanks" },
      { type: "URL", text: "Track", url: "https://e.com/t/{{1}}", example: ["https://e.com/t/9"] },
      { type: "PHONE_NUMBER", text: "Call", phone_number: "+16505551234" },
    ],
  },
]);
const orderValues: TemplateValues = {
  header: { "1": "1042" },
  body: { "1": "Ana", "2": "1042" },
  buttons: { "1": "1042" },
};
const named = template(
  [
    body("Hi {{first_name}}, {{first_name}}!", {
      body_text_named_params: [{ param_name: "first_name", example: "Ana" }],
    }),
  ],
  { parameter_format: "NAMED" },
);
const image = template([{ type: "HEADER", format: "IMAGE" }, body("Look")]);
const invoice = template([{ type: "HEADER", format: "DOCUMENT" }, body("Your invoice")]);
const place = template([{ type: "HEADER", format: "LOCATION" }, body("Come")]);
const coupon = template([
  body("Save"),
  { type: "BUTTONS", buttons: [{ type: "COPY_CODE", text: "Copy", example: "SAVE" }] },
]);
const otp = template(
  [
    body("{{1}} is your code."),
    { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy" }] },
  ],
  { category: "AUTHENTICATION" },
);
const offer = template([
  { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Hurry", has_expiration: true } },
  body("Sale"),
]);
const card = {
  components: [
    { type: "HEADER", format: "IMAGE" },
    body("{{1}} off"),
    { type: "BUTTONS", buttons: [{ type: "URL", text: "Buy", url: "https://e.com/{{1}}" }] },
  ],
};
const carousel = template([body("New:"), { type: "CAROUSEL", cards: [card, card] }]);
const cardValues = { header: { id: "9" }, body: { "1": "10%" }, buttons: { "0": "p" } };

describe("reading a template of the list", () => {
  test("finds places, examples and parts", () => {
    expect(order).toMatchObject({
      parameterFormat: "positional",
      header: { format: "text", variables: [{ name: "1", example: "1042" }] },
      body: {
        variables: [
          { name: "1", example: "Ana" },
          { name: "2", example: "1042" },
        ],
      },
      footer: "Bye",
      buttons: [
        { type: "quick_reply", hasVariable: false },
        { type: "url", hasVariable: true, example: "https://e.com/t/9" },
        { type: "phone_number", phoneNumber: "+16505551234" },
      ],
      unknown: [],
    });
  });

  test("a named place that stands twice is one place", () => {
    expect(named).toMatchObject({
      parameterFormat: "named",
      body: { variables: [{ name: "first_name", example: "Ana" }] },
    });
  });

  test("places with letters are named even where the list does not say so", () => {
    expect(template([body("Hi {{name}}")]).parameterFormat).toBe("named");
  });

  test("what is not known is named, so that nobody sends half a template", () => {
    const odd = template([
      { type: "HOLOGRAM" },
      { type: "HEADER", format: "SMELL" },
      { type: "BUTTONS", buttons: [{ type: "TELEPORT" }, 4] },
      7,
    ]);
    expect(odd.unknown).toEqual(["hologram", "header smell", "button teleport", "button ", "component"]);
    expect(fillTemplate(odd, {})).toMatchObject({
      ok: false,
      problems: [{ field: "template" }, {}, {}, {}, {}],
    });
  });

  test.each([null, 4, "x", [], {}, { name: "a" }, { language: "en" }])("%j is no template", (json) => {
    expect(readTemplate(json)).toBeNull();
  });

  test("no JSON makes it throw", () => {
    const components = fc.array(
      fc.oneof(
        fc.jsonValue(),
        fc.record({
          type: fc.constantFrom("HEADER", "BODY", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"),
          format: fc.jsonValue(),
          text: fc.jsonValue(),
          buttons: fc.jsonValue(),
          cards: fc.jsonValue(),
          example: fc.jsonValue(),
        }),
      ),
    );
    fc.assert(
      fc.property(components, fc.jsonValue(), (parts, given) => {
        const read = template(parts);
        expect(read.name).toBe("t");
        checkTemplateComponents(read, given);
        templateParamsSchema(read);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the schema of the parameters", () => {
  test("names every place, says which are needed and gives the examples", () => {
    expect(templateParamsSchema(order)).toEqual({
      type: "object",
      properties: {
        header: {
          type: "object",
          properties: { "1": { type: "string", minLength: 1, examples: ["1042"] } },
          required: ["1"],
          additionalProperties: false,
        },
        body: {
          type: "object",
          properties: {
            "1": { type: "string", minLength: 1, examples: ["Ana"] },
            "2": { type: "string", minLength: 1, examples: ["1042"] },
          },
          required: ["1", "2"],
          additionalProperties: false,
        },
        buttons: {
          type: "object",
          properties: {
            "0": { type: "string", maxLength: 256, description: 'Comes back when "Thanks" is tapped.' },
            "1": {
              type: "string",
              minLength: 1,
              description: 'Appended to the link of "Track".',
              examples: ["https://e.com/t/9"],
            },
          },
          required: ["1"],
          additionalProperties: false,
        },
      },
      required: ["header", "body", "buttons"],
      additionalProperties: false,
    });
  });

  test("a template without places asks for nothing", () => {
    expect(templateParamsSchema(template([body("Hi")]))).toMatchObject({ properties: {}, required: [] });
  });

  test.each([
    ["a picture", image, { header: { anyOf: [{ required: ["link"] }, { required: ["id"] }] } }],
    ["a document", invoice, { header: { anyOf: [{ properties: { filename: {} } }, {}] } }],
    ["a place", place, { header: { required: ["latitude", "longitude", "name", "address"] } }],
    ["a code", coupon, { buttons: { required: ["0"], properties: { "0": { maxLength: 15 } } } }],
    ["an end of an offer", offer, { offer_expires_at: { type: "integer" } }],
    [
      "cards",
      carousel,
      { cards: { minItems: 2, maxItems: 2, items: { required: ["header", "body", "buttons"] } } },
    ],
  ])("asks for %s", (_, subject, properties) => {
    expect(templateParamsSchema(subject)).toMatchObject({ properties, required: Object.keys(properties) });
  });
});

describe("filling", () => {
  test("gives Meta's components and what the phone will show", () => {
    expect(fillTemplate(order, orderValues)).toEqual({
      ok: true,
      components: [
        { type: "header", parameters: [{ type: "text", text: "1042" }] },
        {
          type: "body",
          parameters: [
            { type: "text", text: "Ana" },
            { type: "text", text: "1042" },
          ],
        },
        { type: "button", index: "1", sub_type: "url", parameters: [{ type: "text", text: "1042" }] },
      ],
      preview: {
        header: "Order 1042",
        body: "Hi Ana, your order 1042 left.",
        footer: "Bye",
        buttons: [{ text: "Thanks" }, { text: "Track", url: "https://e.com/t/1042" }, { text: "Call" }],
        cards: [],
      },
    });
  });

  test("a named place is sent with its name and shown wherever it stands", () => {
    expect(fillTemplate(named, { body: { first_name: "Ana" } })).toMatchObject({
      components: [{ parameters: [{ type: "text", parameter_name: "first_name", text: "Ana" }] }],
      preview: { body: "Hi Ana, Ana!" },
    });
  });

  test("a value that looks like a place is not filled again", () => {
    expect(fillTemplate(order, { ...orderValues, body: { "1": "{{2}}", "2": "$&" } })).toMatchObject({
      preview: { body: "Hi {{2}}, your order $& left." },
    });
  });

  test("a one-time code stands in the body and in the button", () => {
    expect(fillTemplate(otp, { body: { "1": "123456" } })).toMatchObject({
      components: [
        { type: "body", parameters: [{ text: "123456" }] },
        { type: "button", index: "0", sub_type: "url", parameters: [{ type: "text", text: "123456" }] },
      ],
    });
  });

  test.each([
    [
      "a picture by link",
      image,
      { header: { link: "https://e.com/a.png" } },
      { type: "header", parameters: [{ type: "image", image: { link: "https://e.com/a.png" } }] },
    ],
    [
      "a named document",
      invoice,
      { header: { id: "5", filename: "a.pdf" } },
      { type: "header", parameters: [{ type: "document", document: { id: "5", filename: "a.pdf" } }] },
    ],
    [
      "a place",
      place,
      { header: { latitude: 1, longitude: 2, name: "n", address: "a" } },
      {
        type: "header",
        parameters: [{ type: "location", location: { latitude: 1, longitude: 2, name: "n", address: "a" } }],
      },
    ],
    [
      "a code",
      coupon,
      { buttons: { "0": "SAVE10" } },
      {
        type: "button",
        index: "0",
        sub_type: "copy_code",
        parameters: [{ type: "coupon_code", coupon_code: "SAVE10" }],
      },
    ],
    [
      "an offer",
      offer,
      { offer_expires_at: 1_800_000_000_000 },
      {
        type: "limited_time_offer",
        parameters: [
          { type: "limited_time_offer", limited_time_offer: { expiration_time_ms: 1_800_000_000_000 } },
        ],
      },
    ],
  ] satisfies [string, TemplateDefinition, TemplateValues, object][])(
    "%s",
    (_, subject, values, component) => {
      expect(fillTemplate(subject, values)).toMatchObject({ ok: true, components: [component] });
    },
  );

  test("cards are numbered and filled one by one", () => {
    expect(
      fillTemplate(carousel, { cards: [cardValues, { ...cardValues, body: { "1": "20%" } }] }),
    ).toMatchObject({
      ok: true,
      components: [
        {
          type: "carousel",
          cards: [
            {
              card_index: 0,
              components: [
                { type: "header" },
                { type: "body", parameters: [{ text: "10%" }] },
                { type: "button" },
              ],
            },
            { card_index: 1, components: [{}, { parameters: [{ text: "20%" }] }, {}] },
          ],
        },
      ],
      preview: { cards: [{ body: "10% off" }, { body: "20% off" }] },
    });
  });

  test.each([
    ["nothing at all", order, {}, ["header.1", "body.1", "body.2", "buttons.1"]],
    ["an empty value", order, { ...orderValues, body: { "1": " ", "2": "x" } }, ["body.1"]],
    ["a value too many", order, { ...orderValues, body: { ...orderValues.body, "3": "x" } }, ["body.3"]],
    [
      "a value for a button that takes none",
      order,
      { ...orderValues, buttons: { "1": "x", "2": "x" } },
      ["buttons.2"],
    ],
    ["a line break in a value", order, { ...orderValues, body: { "1": "a\nb", "2": "x" } }, ["body.1"]],
    ["five blanks in a row", order, { ...orderValues, body: { "1": "a     b", "2": "x" } }, ["body.1"]],
    ["a link with a blank", order, { ...orderValues, buttons: { "1": "a b" } }, ["buttons.1"]],
    ["more text than fits", order, { ...orderValues, body: { "1": "x".repeat(1024), "2": "x" } }, ["body"]],
    [
      "a picture where a text is wanted",
      order,
      { ...orderValues, header: { latitude: 1, longitude: 1, name: "n", address: "a" } },
      ["header", "header.1"],
    ],
    ["a text where a picture is wanted", image, { header: { "1": "x" } }, ["header"]],
    ["a picture of this machine", image, { header: { link: "file:///etc/passwd" } }, ["header"]],
    ["a file name on a picture", image, { header: { id: "1", filename: "x" } }, ["header"]],
    ["a code that is too long", coupon, { buttons: { "0": "x".repeat(16) } }, ["buttons.0"]],
    ["a one-time code that is too long", otp, { body: { "1": "x".repeat(16) } }, ["body.1"]],
    ["a card too few", carousel, { cards: [cardValues] }, ["cards"]],
    [
      "a card without picture",
      carousel,
      { cards: [cardValues, { body: { "1": "x" }, buttons: { "0": "p" } }] },
      ["cards[1].header"],
    ],
    ["no end of the offer", offer, {}, ["offer_expires_at"]],
    ["an end without an offer", image, { header: { id: "1" }, offer_expires_at: 1 }, ["offer_expires_at"]],
  ] satisfies [string, TemplateDefinition, TemplateValues, string[]][])(
    "%s is refused with the field",
    (_, subject, values, fields) => {
      const filled = fillTemplate(subject, values);
      expect(filled.ok ? [] : filled.problems.map(({ field }) => field)).toEqual(fields);
    },
  );
});

describe("the check that Meta makes", () => {
  test("passes what filling gave", () => {
    const pairs: [TemplateDefinition, TemplateValues][] = [
      [order, orderValues],
      [named, { body: { first_name: "Ana" } }],
      [image, { header: { id: "1" } }],
      [place, { header: { latitude: 1, longitude: 2, name: "n", address: "a" } }],
      [coupon, { buttons: { "0": "SAVE" } }],
      [otp, { body: { "1": "123" } }],
      [offer, { offer_expires_at: 1 }],
      [carousel, { cards: [cardValues, cardValues] }],
    ];
    for (const [subject, values] of pairs) {
      const filled = fillTemplate(subject, values);
      expect(filled.ok && checkTemplateComponents(subject, filled.components)).toBeNull();
    }
  });

  const text = (value: string, more: object = {}) => ({ type: "text", text: value, ...more });
  const header = { type: "header", parameters: [text("1")] };
  const filledBody = { type: "body", parameters: [text("a"), text("b")] };
  const link = { type: "button", sub_type: "url", index: "1", parameters: [text("x")] };

  test.each([
    ["too few values", order, [header, { type: "body", parameters: [text("a")] }, link], 132000],
    ["no header value", order, [filledBody, link], 132000],
    [
      "a picture in a text",
      order,
      [header, { type: "body", parameters: [text("a"), { type: "image", image: { id: "1" } }] }, link],
      132012,
    ],
    ["no value for the link", order, [header, filledBody], 132018],
    ["a button that is not there", order, [header, filledBody, link, { ...link, index: "9" }], 132018],
    ["a button of another kind", order, [header, filledBody, { ...link, sub_type: "quick_reply" }], 132018],
    ["a named place without its name", named, [{ type: "body", parameters: [text("a")] }], 132012],
    [
      "another name",
      named,
      [{ type: "body", parameters: [text("a", { parameter_name: "last_name" })] }],
      132012,
    ],
    ["no picture", image, [], 132012],
    [
      "a picture without source",
      image,
      [{ type: "header", parameters: [{ type: "image", image: {} }] }],
      132012,
    ],
    ["a missing card", carousel, [{ type: "carousel", cards: [] }], 132000],
    ["an offer without its end", offer, [], 132012],
    ["no components at all", order, undefined, 132000],
  ])("%s", (_, subject, components, code) => {
    expect(checkTemplateComponents(subject, components)?.code).toBe(code);
  });

  test("takes numbers and upper case where Meta takes them", () => {
    expect(
      checkTemplateComponents(order, [
        { ...header, type: "HEADER" },
        { ...filledBody, type: "BODY" },
        { ...link, type: "BUTTON", sub_type: "URL", index: 1 },
      ]),
    ).toBeNull();
  });
});
