import type { z } from "zod";
import {
  KNOWN_TYPES,
  type TypedInbound,
  typedInbound,
  type UntypedInbound,
  untypedInbound,
} from "./inbound-kinds";

export type Inbound = { readonly typed: TypedInbound } | { readonly untyped: UntypedInbound };

type Loose = Record<string, unknown>;

/** A request to `/_sim/inbound`, or what is wrong with it. */
export function parseInbound(body: unknown): Inbound | { error: z.ZodError } {
  const flat = flatten(body);
  const isKnown =
    typeof flat === "object" && flat !== null && "type" in flat && KNOWN_TYPES.has(String(flat.type));
  if (isKnown) {
    const parsed = typedInbound.safeParse(flat);
    return parsed.success ? { typed: parsed.data } : { error: parsed.error };
  }
  const parsed = untypedInbound.safeParse(body);
  return parsed.success ? { untyped: parsed.data } : { error: parsed.error };
}

/**
 * Brings the ways in which people write a message to one: the content may stand beside the type or, as in Meta's own
 * webhooks, in an object under the type's key; a text may be a plain string.
 */
function flatten(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { context, messageId: camelId, ...rest }: Loose = { ...body };
  const type = String(rest["type"]);
  const flat: Loose = { ...rest, ...(camelId !== undefined && { message_id: camelId }) };
  if (isPlain(context)) Object.assign(flat, flattenContext(context, flat["reply_to"]));
  if (type === "interactive") return flattenInteractive(flat);
  if (type === "raw" || type === "order" || !KNOWN_TYPES.has(type)) return flat;
  const { [type]: nested, ...others } = flat;
  if (type === "text" && typeof nested === "string") return { ...others, body: nested };
  if (!isPlain(nested)) return flat;
  switch (type) {
    case "location": {
      const { name: place, ...position } = nested;
      return { ...position, ...others, ...(place !== undefined && { place }) };
    }
    case "system":
      return { ...flattenSystem(nested), ...others };
    case "edit":
    case "revoke": {
      const { original_message_id, ...content } = nested;
      return { message_id: original_message_id, ...content, ...others };
    }
    default:
      return { ...nested, ...others };
  }
}

/** Meta's `context` of a message, as the fields that a request has for it. */
function flattenContext(context: Loose, replyTo: unknown): Loose {
  const { message_id, id, forwarded, frequently_forwarded, referred_product } = context;
  const quoted = replyTo ?? message_id ?? id;
  return Object.fromEntries(
    Object.entries({ reply_to: quoted, forwarded, frequently_forwarded, referred_product }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

/** Meta calls all kinds of replies `interactive`; the id inside is the button's, not the message's. */
function flattenInteractive(flat: Loose): unknown {
  const { interactive, button_reply, list_reply, nfm_reply, call_permission_reply, ...others } = flat;
  const source = isPlain(interactive)
    ? interactive
    : { button_reply, list_reply, nfm_reply, call_permission_reply };
  for (const kind of ["button_reply", "list_reply", "nfm_reply", "call_permission_reply"] as const) {
    const reply = Object.entries(source).find(([key, value]) => key === kind && value !== undefined)?.[1];
    if (!isPlain(reply)) continue;
    const { id, name, ...parts } = reply;
    return {
      ...others,
      ...parts,
      ...(id !== undefined && { reply_id: id }),
      ...(name !== undefined && { flow: name }),
      type: kind,
    };
  }
  return flat;
}

const SYSTEM_CHANGES: Readonly<Record<string, string>> = {
  user_changed_number: "number",
  customer_changed_number: "number",
  user_changed_user_id: "user_id",
  customer_identity_changed: "identity",
};

/** Meta's `system` object: what it says afterwards is what shall happen. */
function flattenSystem({ type, wa_id, new_wa_id, ...others }: Loose): Loose {
  const phone = wa_id ?? new_wa_id;
  return {
    ...others,
    ...(type !== undefined && { change: SYSTEM_CHANGES[String(type)] ?? type }),
    ...(phone !== undefined && { new_phone: phone }),
  };
}

function isPlain(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
