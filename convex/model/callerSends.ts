import { defined } from "#shared/defined";
import type { MutationCtx } from "../_generated/server";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { enqueueText, validateText } from "./outbox";
import type { TextDraft } from "./policy";

export interface CallerText {
  from?: string;
  contact: string;
  text: string;
  replyTo?: string;
  clientRequestId?: string;
  validateOnly?: boolean;
}

/** Takes a text of an API key for sending: scope and number first, then the rules that hold for everybody. */
export async function enqueueForCaller(ctx: MutationCtx, caller: Caller, args: CallerText, now: number) {
  const granted = await grantNumber(ctx, caller, "send", args.from);
  if (granted.refused) return granted;
  const draft: TextDraft = {
    principal: { kind: "key", key: caller.key },
    account: granted.account,
    recipient: { kind: "contact", text: args.contact },
    text: args.text,
    ...defined({ replyTo: args.replyTo, clientRequestId: args.clientRequestId }),
    now,
  };
  return args.validateOnly === true ? await validateText(ctx, draft) : await enqueueText(ctx, draft);
}
