import { z } from "zod";

const text = z.string();
const word = z.string().min(1);
const messageId = z.string().min(1).max(512);

/** Who acts, towards which business number, and what may stand on a message of any type. */
const head = {
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
};

const file = {
  mime_type: word.optional(),
  /** The bytes in base64; a small sample of the kind when absent. */
  data: z.base64().optional(),
};

const typed = z.discriminatedUnion("type", [
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
  z.strictObject({ ...head, type: z.literal("button"), text, payload: text.optional() }),
  z.strictObject({
    ...head,
    type: z.literal("button_reply"),
    id: messageId.optional(),
    reply_id: word,
    title: word,
  }),
  z.strictObject({
    ...head,
    type: z.literal("list_reply"),
    reply_id: word,
    title: word,
    description: text.optional(),
  }),
  /** What Meta does not hand over; `label` is the kind that it names (`poll`, `edit`, `live_location`, ...). */
  z.strictObject({ ...head, type: z.literal("unsupported"), label: word.optional() }),
  /** Any message object, sent as it is. */
  z.strictObject({ ...head, type: z.literal("raw"), message: z.record(z.string(), z.unknown()) }),
]);

/** Any other type is sent on with the content that was given under its key. */
const untyped = z.looseObject({ ...head, type: z.string().regex(/^[a-z_]{1,40}$/, "is not a message type") });

export type TypedInbound = z.infer<typeof typed>;
export type UntypedInbound = z.infer<typeof untyped>;
export type Inbound = { readonly typed: TypedInbound } | { readonly untyped: UntypedInbound };

const KNOWN_TYPES: ReadonlySet<string> = new Set(typed.options.map((option) => option.shape.type.value));

/** A request to `/_sim/inbound`, or what is wrong with it. */
export function parseInbound(body: unknown): Inbound | { error: z.ZodError } {
  const flat = flatten(body);
  const isKnown =
    typeof flat === "object" && flat !== null && "type" in flat && KNOWN_TYPES.has(String(flat.type));
  if (isKnown) {
    const parsed = typed.safeParse(flat);
    return parsed.success ? { typed: parsed.data } : { error: parsed.error };
  }
  const parsed = untyped.safeParse(body);
  return parsed.success ? { untyped: parsed.data } : { error: parsed.error };
}

/**
 * Brings the ways in which people write a message to one: the content may stand beside the type or, as in Meta's own
 * webhooks, in an object under the type's key; a text may be a plain string.
 */
function flatten(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { context, messageId: camelId, ...rest }: Record<string, unknown> = { ...body };
  const type = String(rest["type"]);
  const flat: Record<string, unknown> = rest;
  if (camelId !== undefined) flat["message_id"] = camelId;
  if (typeof context === "object" && context !== null) {
    flat["reply_to"] ??=
      "message_id" in context ? context.message_id : "id" in context ? context.id : undefined;
  }
  if (type === "interactive") return flattenInteractive(flat);
  if (type === "raw" || !KNOWN_TYPES.has(type)) return flat;
  const { [type]: nested, ...others } = flat;
  if (type === "text" && typeof nested === "string") return { ...others, body: nested };
  if (typeof nested !== "object" || nested === null) return flat;
  if (type !== "location") return { ...nested, ...others };
  const { name: place, ...position }: Record<string, unknown> = { ...nested };
  return { ...position, ...others, ...(place !== undefined && { place }) };
}

/** Meta calls both kinds of replies `interactive`; the id inside is the button's, not the message's. */
function flattenInteractive(flat: Record<string, unknown>): unknown {
  const { interactive, button_reply, list_reply, ...others } = flat;
  const source =
    typeof interactive === "object" && interactive !== null ? interactive : { button_reply, list_reply };
  for (const kind of ["button_reply", "list_reply"] as const) {
    const reply = Object.entries(source).find(([key, value]) => key === kind && value !== undefined)?.[1];
    if (typeof reply !== "object" || reply === null) continue;
    const { id, ...parts }: Record<string, unknown> = { ...reply };
    return { ...others, ...parts, reply_id: id, type: kind };
  }
  return flat;
}
