import type { MessageContent } from "./webhook-types";

/**
 * Contents of messages for the tests. The shapes follow Meta's pages of the same names under "Webhooks > messages"
 * (text, image, audio, ..., system, unsupported); the values are ours.
 */
const FILE = {
  id: "1908647269898587",
  mime_type: "image/jpeg",
  sha256: "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
};
const READ_FILE = { mediaId: FILE.id, mimeType: FILE.mime_type, sha256: FILE.sha256 };

/** One row for each kind of message: its name, the content beside the common fields, and what is read from it. */
export const MESSAGE_SAMPLES: readonly (readonly [
  name: string,
  content: object,
  read: Partial<MessageContent>,
])[] = [
  ["text", { type: "text", text: { body: "Hi 👋" } }, { type: "text", text: "Hi 👋" }],
  ["an empty text", { type: "text", text: { body: "" } }, { type: "text", text: "" }],
  [
    "an image with a caption",
    { type: "image", image: { ...FILE, caption: "Look" } },
    { type: "image", ...READ_FILE, caption: "Look" },
  ],
  ["a video", { type: "video", video: FILE }, { type: "video", ...READ_FILE }],
  ["a recording", { type: "audio", audio: { ...FILE, voice: true } }, { type: "voice", ...READ_FILE }],
  ["an audio file", { type: "audio", audio: { ...FILE, voice: false } }, { type: "audio", ...READ_FILE }],
  ["a voice message of the old kind", { type: "voice", voice: FILE }, { type: "voice", ...READ_FILE }],
  [
    "a sticker",
    { type: "sticker", sticker: { ...FILE, animated: true } },
    { type: "sticker", ...READ_FILE, animated: true },
  ],
  [
    "a document",
    { type: "document", document: { ...FILE, filename: "a.pdf" } },
    { type: "document", ...READ_FILE, filename: "a.pdf" },
  ],
  ["a file without its id", { type: "image", image: {} }, { type: "image" }],
  [
    "a reaction",
    { type: "reaction", reaction: { message_id: "wamid.X", emoji: "👍" } },
    { type: "reaction", targetWamid: "wamid.X", emoji: "👍" },
  ],
  [
    "a removed reaction, emoji absent",
    { type: "reaction", reaction: { message_id: "wamid.X" } },
    { type: "reaction", targetWamid: "wamid.X", emoji: null },
  ],
  [
    "a removed reaction, emoji empty",
    { type: "reaction", reaction: { message_id: "wamid.X", emoji: "" } },
    { type: "reaction", targetWamid: "wamid.X", emoji: null },
  ],
  [
    "a location with numbers in words",
    { type: "location", location: { latitude: "52.37", longitude: 4.9, name: "Dam" } },
    { type: "location", latitude: 52.37, longitude: 4.9, name: "Dam" },
  ],
  [
    "contact cards",
    {
      type: "contacts",
      contacts: [
        {
          name: { formatted_name: "Ana" },
          phones: [{ phone: "+55 41" }, {}, 3],
          org: { company: "Bakery" },
          emails: [{ email: "ana@x.test" }, {}, 3],
        },
        null,
      ],
    },
    {
      type: "contacts",
      contacts: [
        { name: "Ana", phones: ["+55 41"], company: "Bakery", emails: ["ana@x.test"] },
        { phones: [] },
      ],
    },
  ],
  [
    "a template button",
    { type: "button", button: { text: "Thanks", payload: "P1" } },
    { type: "button", text: "Thanks", payload: "P1" },
  ],
  [
    "a reply button",
    { type: "interactive", interactive: { type: "button_reply", button_reply: { id: "b1", title: "Yes" } } },
    { type: "interactive", reply: "button_reply", id: "b1", title: "Yes" },
  ],
  [
    "a list choice",
    {
      type: "interactive",
      interactive: { type: "list_reply", list_reply: { id: "r1", title: "Two", description: "d" } },
    },
    { type: "interactive", reply: "list_reply", id: "r1", title: "Two", description: "d" },
  ],
  [
    "a flow answer, whose JSON is kept unread",
    {
      type: "interactive",
      interactive: { type: "nfm_reply", nfm_reply: { name: "flow", body: "Sent", response_json: "{" } },
    },
    { type: "interactive", reply: "nfm_reply", title: "Sent" },
  ],
  [
    "the answer to a request for permission to call",
    {
      type: "interactive",
      interactive: {
        type: "call_permission_reply",
        call_permission_reply: { response: "accept", is_permanent: false, response_source: "user_action" },
      },
    },
    { type: "interactive", reply: "call_permission_reply" },
  ],
  [
    "an address, which is a flow's answer by another name",
    {
      type: "interactive",
      interactive: {
        type: "nfm_reply",
        nfm_reply: { name: "address_message", body: "Sent", response_json: '{"values":{"city":"Delhi"}}' },
      },
    },
    { type: "interactive", reply: "nfm_reply", title: "Sent" },
  ],
  [
    "a card that answers a request for the number, without a name",
    { type: "contacts", contacts: [{ phones: [{ wa_id: "16505551234" }], origin: "contact_request" }] },
    { type: "contacts", contacts: [{ phones: ["16505551234"] }] },
  ],
  [
    "an order",
    { type: "order", order: { catalog_id: "1", text: "Please", product_items: [{}, {}] } },
    { type: "order", catalogId: "1", text: "Please", itemCount: 2 },
  ],
  [
    "a changed number",
    { type: "system", system: { type: "user_changed_number", body: "moved", wa_id: "16505550000" } },
    { type: "system", event: "user_changed_number", body: "moved", newWaId: "16505550000" },
  ],
  [
    "a changed number as older webhooks tell it",
    { type: "system", system: { type: "customer_changed_number", body: "moved", new_wa_id: "16505550000" } },
    { type: "system", event: "customer_changed_number", newWaId: "16505550000" },
  ],
  [
    "a new user id",
    {
      type: "system",
      system: { type: "user_changed_user_id", body: "new id", user_id: "US.2", previous_user_id: "US.1" },
    },
    { type: "system", event: "user_changed_user_id", newUserId: "US.2", previousUserId: "US.1" },
  ],
  [
    "a changed identity",
    {
      type: "system",
      system: { type: "customer_identity_changed", body: "code", identity: "h", customer: "1" },
    },
    { type: "system", event: "customer_identity_changed" },
  ],
  [
    "an edit of a picture, which comes with a new file",
    {
      type: "edit",
      edit: {
        original_message_id: "wamid.O",
        message: { context: { id: "wamid.O" }, type: "image", image: { ...FILE, caption: "new" } },
      },
    },
    { type: "edit", originalWamid: "wamid.O", content: { type: "image", ...READ_FILE, caption: "new" } },
  ],
  ["a first contact without words", { type: "request_welcome" }, { type: "other", label: "request_welcome" }],
  [
    "a file that a history announces and sends later",
    { type: "media_placeholder" },
    { type: "other", label: "media_placeholder" },
  ],
  [
    "an edit",
    {
      type: "edit",
      edit: { original_message_id: "wamid.O", message: { type: "text", text: { body: "new" } } },
    },
    { type: "edit", originalWamid: "wamid.O", content: { type: "text", text: "new" } },
  ],
  [
    "a deletion",
    { type: "revoke", revoke: { original_message_id: "wamid.O" } },
    { type: "revoke", originalWamid: "wamid.O" },
  ],
  [
    "an unsupported kind",
    { type: "unsupported", unsupported: { type: "poll" }, errors: [{ code: 131051 }] },
    { type: "unsupported", label: "poll" },
  ],
  ["a kind from the future", { type: "hologram", hologram: { id: 1 } }, { type: "other", label: "hologram" }],
  ["a text without its body", { type: "text", text: {} }, { type: "other", label: "text" }],
  ["a text that is a number", { type: "text", text: 5 }, { type: "other", label: "text" }],
  ["a kind called like a built-in", { type: "__proto__" }, { type: "other", label: "__proto__" }],
  ["no kind at all", {}, { type: "other", label: "unknown" }],
  ["no kind, but content of a known one", { text: { body: "Hi" } }, { type: "text", text: "Hi" }],
];

/** One row for each word of a status (Meta: "Webhooks > messages > status"), with what comes beside it. */
export const STATUS_SAMPLES: readonly (readonly [status: string, more: object])[] = [
  [
    "sent",
    {
      conversation: {
        id: "c1",
        expiration_timestamp: "1750116473",
        origin: { type: "referral_conversion" },
      },
      pricing: {
        billable: false,
        pricing_model: "PMP",
        type: "free_entry_point",
        category: "referral_conversion",
      },
    },
  ],
  ["delivered", { pricing: { billable: true, pricing_model: "PMP", type: "regular", category: "utility" } }],
  ["read", { recipient_user_id: "US.13491208655302741918" }],
  ["played", { biz_opaque_callback_data: "p1:abc:1" }],
  ["failed", { errors: [{ code: 131026, title: "Message undeliverable", error_data: { details: "d" } }] }],
];
