/** What the requests of this table name: files that were uploaded, a host of files, a message, and people. */
export interface Given {
  readonly files: Readonly<Record<"image" | "video" | "document" | "audio" | "voice" | "sticker", string>>;
  readonly host: string;
  readonly inboundId: string;
  readonly to: string;
  readonly userId: string;
}

type Category = "service" | "utility" | "marketing" | "authentication";

export interface DocumentedRequest {
  readonly name: string;
  readonly body: (given: Given) => object;
  /** Statuses that follow, in order, by webhooks of their own. */
  readonly statuses: readonly string[];
  readonly category?: Category;
}

const READ = ["sent", "delivered", "read"];
/** A reaction is reported as sent and no further. */
const SENT = ["sent"];

const to = (phone: string) => ({ messaging_product: "whatsapp", recipient_type: "individual", to: phone });
const byId = (type: "image" | "video" | "document" | "audio" | "sticker", more: object = {}) => ({
  name: `${type} by id`,
  body: ({ files, to: phone }: Given) => ({ ...to(phone), type, [type]: { id: files[type], ...more } }),
  statuses: READ,
});
const byLink = (type: string, path: string, more: object = {}) => ({
  name: `${type} by link`,
  body: ({ host, to: phone }: Given) => ({ ...to(phone), type, [type]: { link: `${host}${path}`, ...more } }),
  statuses: READ,
});
const interactive = (name: string, make: (given: Given) => object) => ({
  name: `interactive ${name}`,
  body: (given: Given) => ({ ...to(given.to), type: "interactive", interactive: make(given) }),
  statuses: READ,
});
const template = (
  name: string,
  category: Category,
  components: (given: Given) => readonly object[],
): DocumentedRequest => ({
  name: `template ${name}`,
  body: (given) => ({
    ...to(given.to),
    type: "template",
    template: { name, language: { policy: "deterministic", code: "en_US" }, components: components(given) },
  }),
  statuses: READ,
  category,
});
const text = (value: string, more: object = {}) => ({ type: "text", text: value, ...more });
const button = (sub_type: string, index: number | string, parameter: object) => ({
  type: "button",
  sub_type,
  index,
  parameters: [parameter],
});
const fileHeader = (type: string, file: object) => ({
  type: "header",
  parameters: [{ type, [type]: file }],
});

/** One row for each request body that Meta documents; above each group stands the page that it follows. */
export const DOCUMENTED_REQUESTS: readonly DocumentedRequest[] = [
  // "Cloud API > Messages > Text messages"; the second with "preview_url" and "Contextual replies".
  {
    name: "text",
    body: ({ to: phone }) => ({ ...to(phone), type: "text", text: { body: "As requested: caf\u00e9 😀" } }),
    statuses: READ,
  },
  {
    name: "text with a preview, as a reply",
    body: ({ to: phone, inboundId }) => ({
      ...to(phone),
      context: { message_id: inboundId },
      type: "text",
      text: { preview_url: true, body: "See https://example.com/care" },
    }),
    statuses: READ,
  },
  // "Cloud API > Messages > Image / Video / Audio / Document / Sticker messages".
  byId("image", { caption: "The best of them" }),
  byId("video", { caption: "How to water it" }),
  byId("audio"),
  byId("document", { caption: "Care sheet", filename: "care.pdf" }),
  byId("sticker"),
  {
    name: "voice message by id",
    body: ({ files, to: phone }) => ({
      ...to(phone),
      type: "audio",
      audio: { id: files.voice, voice: true },
    }),
    statuses: [...READ, "played"],
  },
  byLink("image", "/plant.jpg"),
  byLink("video", "/care.mp4"),
  byLink("audio", "/tip.mp3"),
  byLink("document", "/care.pdf", { filename: "care.pdf" }),
  byLink("sticker", "/leaf.webp"),
  // "Cloud API > Messages > Location messages": coordinates may be texts.
  {
    name: "location",
    body: ({ to: phone }) => ({
      ...to(phone),
      type: "location",
      location: {
        latitude: "37.44216251868683",
        longitude: -122.16153582049394,
        name: "Philz Coffee",
        address: "101 Forest Ave, Palo Alto, CA 94301",
      },
    }),
    statuses: READ,
  },
  // "Cloud API > Messages > Contacts messages".
  {
    name: "contacts",
    body: ({ to: phone }) => ({
      ...to(phone),
      type: "contacts",
      contacts: [
        {
          addresses: [
            { street: "1 Lucky Shrub Way", city: "Menlo Park", state: "CA", zip: "94025", type: "WORK" },
          ],
          birthday: "1999-01-23",
          emails: [{ email: "bjohnson@luckyshrub.com", type: "WORK" }],
          name: { formatted_name: "Barbara J. Johnson", first_name: "Barbara", last_name: "Johnson" },
          org: { company: "Lucky Shrub", department: "Legal", title: "Lead Counsel" },
          phones: [{ phone: "+16505559999", type: "MOBILE", wa_id: "19175559999" }],
          urls: [{ url: "https://www.luckyshrub.com", type: "WORK" }],
        },
      ],
    }),
    statuses: READ,
  },
  // "Cloud API > Messages > Reaction messages"; an empty emoji takes it back.
  {
    name: "reaction",
    body: ({ to: phone, inboundId }) => ({
      ...to(phone),
      type: "reaction",
      reaction: { message_id: inboundId, emoji: "\ud83d\ude00" },
    }),
    statuses: SENT,
  },
  {
    name: "reaction taken back",
    body: ({ to: phone, inboundId }) => ({
      ...to(phone),
      type: "reaction",
      reaction: { message_id: inboundId, emoji: "" },
    }),
    statuses: SENT,
  },
  // "Cloud API > Messages > Interactive reply buttons messages".
  interactive("button", ({ files }) => ({
    type: "button",
    header: { type: "image", image: { id: files.image } },
    body: { text: "When shall we come?" },
    footer: { text: "Lucky Shrub" },
    action: {
      buttons: [
        { type: "reply", reply: { id: "morning", title: "In the morning" } },
        { type: "reply", reply: { id: "evening", title: "In the evening" } },
      ],
    },
  })),
  interactive("button under a linked document", ({ host }) => ({
    type: "button",
    header: { type: "document", document: { link: `${host}/care.pdf`, filename: "care.pdf" } },
    body: { text: "Is this right?" },
    action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] },
  })),
  // "Cloud API > Messages > Interactive list messages".
  interactive("list", () => ({
    type: "list",
    header: { type: "text", text: "Choose a shipping option" },
    body: { text: "Which one do you prefer?" },
    footer: { text: "Lucky Shrub" },
    action: {
      button: "Options",
      sections: [
        { title: "Soon", rows: [{ id: "express", title: "Express", description: "Next day" }] },
        { title: "Later", rows: [{ id: "standard", title: "Standard" }] },
      ],
    },
  })),
  // "Cloud API > Messages > Interactive call-to-action URL button messages".
  interactive("cta_url", () => ({
    type: "cta_url",
    header: { type: "text", text: "Open days" },
    body: { text: "See what is possible." },
    action: {
      name: "cta_url",
      parameters: { display_text: "See dates", url: "https://www.luckyshrub.com?clickID=1" },
    },
  })),
  // "Flows > Sending a flow".
  interactive("flow", () => ({
    type: "flow",
    header: { type: "text", text: "Booking" },
    body: { text: "Book a time." },
    footer: { text: "Lucky Shrub" },
    action: {
      name: "flow",
      parameters: {
        flow_message_version: "3",
        flow_token: "AQAAAAACS5FpgQ_cAAAAAD0QI3s.",
        flow_id: "1",
        flow_cta: "Book!",
        flow_action: "navigate",
        flow_action_payload: { screen: "START", data: { product: "aloe" } },
      },
    },
  })),
  // "Cloud API > Messages > Location request messages".
  interactive("location_request_message", () => ({
    type: "location_request_message",
    body: { text: "Where shall we bring it?" },
    action: { name: "send_location" },
  })),
  // "Cloud API > Messages > Interactive media carousel messages".
  interactive("carousel", ({ host }) => ({
    type: "carousel",
    body: { text: "Our latest" },
    action: {
      cards: [0, 1].map((card_index) => ({
        card_index,
        type: "cta_url",
        header: { type: "image", image: { link: `${host}/plant.jpg` } },
        body: { text: "Aloe" },
        action: {
          name: "cta_url",
          parameters: { display_text: "Buy", url: "https://example.com/aloe" },
        },
      })),
    },
  })),
  // "Template messages > Sending": texts, currency and date, buttons of each kind.
  template("hello_world", "utility", () => []),
  template("all_texts", "utility", () => [
    { type: "header", parameters: [text("1042")] },
    {
      type: "body",
      parameters: [
        text("Sheena"),
        { type: "currency", currency: { fallback_value: "$12.30", code: "USD", amount_1000: 12300 } },
        { type: "date_time", date_time: { fallback_value: "Monday" } },
      ],
    },
    button("quick_reply", "0", { type: "payload", payload: "thanks" }),
    button("QUICK_REPLY", 1, { type: "payload", payload: "cancel" }),
    button("url", "2", text("1042")),
  ]),
  template("by_name", "utility", () => [
    {
      type: "body",
      parameters: [
        text("1042", { parameter_name: "order_id" }),
        text("Sheena", { parameter_name: "first_name" }),
      ],
    },
  ]),
  template("spring_offer", "marketing", ({ files }) => [
    fileHeader("image", { id: files.image }),
    { type: "body", parameters: [text("Sheena"), text("20%")] },
  ]),
  template("with_video", "utility", ({ host }) => [fileHeader("video", { link: `${host}/care.mp4` })]),
  template("with_document", "utility", ({ files }) => [
    fileHeader("document", { id: files.document, filename: "care.pdf" }),
  ]),
  template("with_place", "utility", () => [
    fileHeader("location", {
      latitude: "37.48",
      longitude: "-122.14",
      name: "Lucky Shrub",
      address: "1 Way",
    }),
  ]),
  // "Coupon code templates" and "Limited-time offer templates".
  template("coupon", "marketing", () => [
    button("copy_code", 0, { type: "coupon_code", coupon_code: "SPRING20" }),
  ]),
  template("offer", "marketing", ({ files }) => [
    fileHeader("image", { id: files.image }),
    {
      type: "limited_time_offer",
      parameters: [
        { type: "limited_time_offer", limited_time_offer: { expiration_time_ms: 1_750_086_400_000 } },
      ],
    },
    button("copy_code", 0, { type: "coupon_code", coupon_code: "ALOE" }),
  ]),
  // "Media card carousel templates".
  template("cards", "marketing", ({ files, host }) => [
    { type: "body", parameters: [text("Sheena")] },
    {
      type: "carousel",
      cards: [{ id: files.image }, { link: `${host}/plant.jpg` }].map((image, card_index) => ({
        card_index,
        components: [
          fileHeader("image", image),
          { type: "body", parameters: [text("20%")] },
          button("quick_reply", "0", { type: "payload", payload: `more-${card_index}` }),
          button("url", "1", text("aloe")),
        ],
      })),
    },
  ]),
  // "Authentication templates > Copy code": the code stands in the body and on the button.
  template("sign_in", "authentication", () => [
    { type: "body", parameters: [text("J$FpnYnP")] },
    button("url", "0", text("J$FpnYnP")),
  ]),
  // "Sending flow templates".
  template("opens_flow", "utility", () => [
    button("flow", "0", { type: "action", action: { flow_token: "t", flow_action_data: { a: 1 } } }),
  ]),
  // "Business-scoped user IDs > Sending messages".
  {
    name: "text to a user id",
    body: ({ userId }) => ({
      messaging_product: "whatsapp",
      recipient_type: "individual",
      recipient: userId,
      type: "text",
      text: { body: "To whoever this is" },
    }),
    statuses: READ,
  },
];
