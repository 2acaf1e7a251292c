import { defined } from "../defined";
import { countCharacters } from "../text";
import { isUserId } from "./identity";

/** To whom: a phone number in E.164 with its plus (Meta reads one without as local), or a business-scoped user id. */
export type Recipient = { readonly phone: string } | { readonly userId: string };

/** What every builder takes beside the content. */
export interface Envelope {
  readonly to: Recipient;
  /** The message that is quoted. */
  readonly replyTo?: string;
  /** Comes back in every status of the message. */
  readonly callbackData?: string;
}

/** A body for `POST /{phone-number-id}/messages`. */
export interface OutboundBody {
  readonly messaging_product: "whatsapp";
  readonly recipient_type: "individual";
  readonly to?: string;
  readonly recipient?: string;
  readonly type: string;
  readonly context?: { readonly message_id: string };
  readonly biz_opaque_callback_data?: string;
  readonly [content: string]: unknown;
}

export type Refused = { readonly ok: false; readonly field: string; readonly problem: string };

/** A body, or which field is wrong and why, in words for the person who wrote it. */
export type Built = { readonly ok: true; readonly body: OutboundBody } | Refused;

/** Meta: description of `biz_opaque_callback_data`. */
export const CALLBACK_DATA_CHARACTERS_MAX = 512;

const PHONE_FORM = /^\+[1-9]\d{6,14}$/;

/** Puts the content of a message into its envelope, which is checked here. */
export function buildBody(envelope: Envelope, type: string, content: object): Built {
  const { to, replyTo, callbackData } = envelope;
  if ("phone" in to && !PHONE_FORM.test(to.phone))
    return wrong("to", "Give the number as + and digits only.");
  if ("userId" in to && !isUserId(to.userId)) return wrong("to", "This is not a WhatsApp user id.");
  if (replyTo === "") return wrong("reply_to", "The message to reply to is missing.");
  if (callbackData !== undefined && countCharacters(callbackData) > CALLBACK_DATA_CHARACTERS_MAX) {
    return tooLong("callback_data", CALLBACK_DATA_CHARACTERS_MAX);
  }
  return {
    ok: true,
    body: {
      messaging_product: "whatsapp",
      recipient_type: "individual",
      ...("phone" in to ? { to: to.phone } : { recipient: to.userId }),
      type,
      [type]: content,
      ...(replyTo !== undefined && { context: { message_id: replyTo } }),
      ...defined({ biz_opaque_callback_data: callbackData }),
    },
  };
}

export function wrong(field: string, problem: string): Refused {
  return { ok: false, field, problem };
}

export function tooLong(field: string, charactersMax: number): Refused {
  return wrong(field, `At most ${charactersMax} characters are allowed.`);
}

/** Whether Meta would open the address: http or https only. */
export function isWebLink(link: string): boolean {
  return URL.canParse(link) && /^https?:$/.test(new URL(link).protocol);
}
