import { z } from "zod";

const text = z.string();
const word = z.string().min(1);
const messageId = z.string().min(1).max(512);

const referral = z.strictObject({
  source_url: word,
  source_id: word,
  source_type: z.enum(["ad", "post"]),
  headline: text.optional(),
  body: text.optional(),
  media_type: z.enum(["image", "video"]).optional(),
  image_url: word.optional(),
  video_url: word.optional(),
  thumbnail_url: word.optional(),
  /** Absent for advertisements in a WhatsApp status. */
  ctwa_clid: word.optional(),
  welcome_message: z.strictObject({ text }).optional(),
  ref: text.optional(),
});

/** Who acts, towards which business number, and what may stand on a message of any type. */
export const head = {
  /** Phone in international form, `@username` or user id. An unknown phone becomes a new customer. */
  from: word,
  name: word.optional(),
  username: z
    .string()
    .regex(/^@?[a-z0-9._]{3,35}$/i, "is not a username")
    .optional(),
  /** Phone number id of the business; the first one when absent. */
  to: word.optional(),
  /** The message id to use instead of a new one. */
  id: messageId.optional(),
  /** When the customer's phone sent it, in seconds; now when absent. */
  timestamp: z.coerce.number().int().positive().max(99_999_999_999).optional(),
  /** The message that is quoted. */
  reply_to: messageId.optional(),
  forwarded: z.literal(true).optional(),
  frequently_forwarded: z.literal(true).optional(),
  /** The product of a catalogue that the person asks about. */
  referred_product: z.strictObject({ catalog_id: word, product_retailer_id: word }).optional(),
  /** The advertisement or post that the person comes from. */
  referral: referral.optional(),
  group_id: word.optional(),
};

const file = {
  mime_type: word.optional(),
  /** The bytes in base64; a small sample of the kind when absent. */
  data: z.base64().optional(),
};

const card = z.strictObject({
  /** Cards of 2026 may lack it. */
  name: z
    .strictObject({
      formatted_name: word,
      first_name: text.optional(),
      last_name: text.optional(),
      middle_name: text.optional(),
      prefix: text.optional(),
      suffix: text.optional(),
    })
    .optional(),
  phones: z
    .array(z.strictObject({ phone: word.optional(), wa_id: word.optional(), type: word.optional() }))
    .optional(),
  emails: z.array(z.strictObject({ email: word, type: word.optional() })).optional(),
  urls: z.array(z.strictObject({ url: word, type: word.optional() })).optional(),
  addresses: z
    .array(
      z.strictObject({
        street: text.optional(),
        city: text.optional(),
        state: text.optional(),
        zip: text.optional(),
        country: text.optional(),
        country_code: text.optional(),
        type: word.optional(),
      }),
    )
    .optional(),
  org: z
    .strictObject({ company: text.optional(), department: text.optional(), title: text.optional() })
    .optional(),
  birthday: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, "is not a date such as 2012-08-18")
    .optional(),
  vcard: text.optional(),
  origin: z.enum(["contact_request", "other"]).optional(),
});

const order = z.strictObject({
  catalog_id: word,
  text: text.optional(),
  product_items: z
    .array(
      z.strictObject({
        product_retailer_id: word,
        quantity: z.union([z.int().min(1), z.string().regex(/^[1-9]\d*$/, "is not a quantity")]),
        item_price: z.union([z.number().min(0), z.string().regex(/^\d+(\.\d+)?$/, "is not a price")]),
        currency: z.string().regex(/^[A-Z]{3}$/, "is not a currency"),
      }),
    )
    .min(1),
});

/** What a message may become by an edit. */
const editedMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.strictObject({ body: text }) }),
  z.strictObject({
    type: z.enum(["image", "video", "document"]),
    caption: text,
  }),
]);

export const typedInbound = z.discriminatedUnion("type", [
  z.strictObject({ ...head, type: z.literal("text"), body: text }),
  z.strictObject({ ...head, ...file, type: z.literal("image"), caption: text.optional() }),
  z.strictObject({ ...head, ...file, type: z.literal("video"), caption: text.optional() }),
  z.strictObject({
    ...head,
    ...file,
    type: z.literal("document"),
    caption: text.optional(),
    filename: word.optional(),
  }),
  z.strictObject({ ...head, ...file, type: z.literal("audio"), voice: z.boolean().optional() }),
  z.strictObject({ ...head, ...file, type: z.literal("voice") }),
  z.strictObject({ ...head, ...file, type: z.literal("sticker"), animated: z.boolean().optional() }),
  /** Without an emoji, or with an empty one, the reaction is taken back. */
  z.strictObject({ ...head, type: z.literal("reaction"), message_id: messageId, emoji: text.nullish() }),
  z.strictObject({
    ...head,
    type: z.literal("location"),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    /** What Meta calls `name`; here that is the person's. */
    place: word.optional(),
    address: text.optional(),
    url: text.optional(),
  }),
  z.strictObject({ ...head, type: z.literal("contacts"), contacts: z.array(card).min(1).max(257) }),
  z.strictObject({ ...head, type: z.literal("button"), text, payload: text.optional() }),
  z.strictObject({ ...head, type: z.literal("button_reply"), reply_id: word, title: word }),
  z.strictObject({
    ...head,
    type: z.literal("list_reply"),
    reply_id: word,
    title: word,
    description: text.optional(),
  }),
  /** The answer to a flow: an object, or in `response_json` the text as it is, which may be no JSON at all. */
  z.strictObject({
    ...head,
    type: z.literal("nfm_reply"),
    flow: z.enum(["flow", "address_message"]).default("flow"),
    body: text.default("Sent"),
    response: z.record(z.string(), z.unknown()).optional(),
    response_json: text.optional(),
  }),
  z.strictObject({
    ...head,
    type: z.literal("call_permission_reply"),
    response: z.enum(["accept", "reject"]),
    is_permanent: z.boolean().default(false),
    expiration_timestamp: z.int().optional(),
    response_source: z.enum(["user_action", "automatic"]).default("user_action"),
  }),
  z.strictObject({ ...head, type: z.literal("order"), order }),
  /** WhatsApp tells that something about the customer has changed, and so it has. */
  z
    .strictObject({
      ...head,
      type: z.literal("system"),
      change: z.enum(["number", "user_id", "identity"]),
      new_phone: word.optional(),
    })
    .refine(({ change, new_phone }) => change !== "number" || new_phone !== undefined, {
      path: ["new_phone"],
      error: "is needed for a change of the number",
    }),
  z
    .strictObject({
      ...head,
      type: z.literal("edit"),
      message_id: messageId,
      /** The new text; or the whole new message. */
      text: text.optional(),
      message: editedMessage.optional(),
    })
    .refine((edit) => (edit.text === undefined) !== (edit.message === undefined), {
      path: ["text"],
      error: "give either a text or a message",
    }),
  z.strictObject({ ...head, type: z.literal("revoke"), message_id: messageId }),
  /** What Meta does not hand over; `label` is the kind that it names (`poll`, `edit`, `live_location`, ...). */
  z.strictObject({ ...head, type: z.literal("unsupported"), label: word.optional() }),
  /** Any message object, sent as it is. */
  z.strictObject({ ...head, type: z.literal("raw"), message: z.record(z.string(), z.unknown()) }),
]);

/** Any other type is sent on with the content that was given under its key. */
export const untypedInbound = z.looseObject({
  ...head,
  type: z.string().regex(/^[a-z_]{1,40}$/, "is not a message type"),
});

export type TypedInbound = z.infer<typeof typedInbound>;
export type UntypedInbound = z.infer<typeof untypedInbound>;

export const KNOWN_TYPES: ReadonlySet<string> = new Set(
  typedInbound.options.map((option) => option.shape.type.value),
);
