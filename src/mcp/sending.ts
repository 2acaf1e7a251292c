import type { FunctionReturnType } from "convex/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import { errorSpec, isRefusal, type Refusal, refusal } from "#shared/errors";
import { api } from "../../convex/_generated/api";
import { mutateAs } from "../server/convex";
import { awaitOutcome, type SendOutcome } from "./await-outcome";
import type { ToolContext } from "./define-tool";
import { params } from "./params";
import { shownText, windowOf, windowShape } from "./shapes";

type Taken = FunctionReturnType<typeof api.mcp.sendText>;
type Confirm = NonNullable<Extract<Taken, Refusal>["confirm"]>;

/** What every tool that sends takes beside its content. */
export const sendParams = {
  from: params.from,
  client_request_id: params.clientRequestId,
  confirm_token: params.confirmToken,
  validate_only: params.validateOnly,
};

/** A send to a customer, who may be answered with a quote. */
export const messageParams = { ...sendParams, contact: params.contact, reply_to: params.replyTo };

export const SEND_HINTS = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
} as const;

/** What every send has to say to an agent about itself; the end of its tool's description. */
export const SEND_ADVICE =
  "Set client_request_id, so that a repeated call sends nothing twice. After pending or unknown do not send again.";

/** What every tool that sends answers. */
export const sendAnswer = z.object({
  outcome: z.enum(["accepted", "pending", "rejected", "unknown"]).optional(),
  message_id: z.string().optional(),
  wamid: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  valid: z.literal(true).optional().describe("Answer to validate_only."),
  // Published in short: it stands in the schema of every tool that sends.
  window: windowShape.optional().meta({ properties: {}, description: "As in get_conversation." }),
  next_step: z.string().optional(),
});

type SendArgs = {
  from?: string | undefined;
  client_request_id?: string | undefined;
  validate_only: boolean;
};

/** The same arguments as the backend's doors name them. */
export function sendArgs({ from, client_request_id, validate_only }: SendArgs) {
  return { validateOnly: validate_only, ...defined({ from, clientRequestId: client_request_id }) };
}

export function messageArgs(args: SendArgs & { contact: string; reply_to?: string | undefined }) {
  return { ...sendArgs(args), contact: args.contact, ...defined({ replyTo: args.reply_to }) };
}

/**
 * Sends by one of the backend's doors. Where a person has to confirm the send, they are asked through the client if it
 * can do that; otherwise the refusal tells the agent to ask, and what to bring along then. A no is a refusal, too.
 */
export async function sendBy(
  context: ToolContext,
  { confirm_token }: { confirm_token?: string | undefined },
  take: (confirmed: { confirmToken?: string }) => Promise<Taken>,
) {
  const { answered, canAsk } = context.confirming;
  if (answered !== undefined) {
    await mutateAs(context.caller.identity, api.mcpConfirmations.answer, answered);
    if (answered.answer !== "accepted") return refusal("confirmation_declined");
  }
  const taken = await take(defined({ confirmToken: answered?.token ?? confirm_token }));
  if (isRefusal(taken) && taken.confirm !== undefined && canAsk && answered === undefined) {
    return { asking: { token: taken.confirm.token, message: questionOf(taken.confirm) } };
  }
  return await finishSend(context, taken);
}

/** The question in plain words. Everything in it is shown as it will be read, nothing hidden. */
function questionOf({ from, recipient, name, text }: Confirm): string {
  const whom = name === undefined || name === recipient ? recipient : `${recipient} ("${shownText(name)}")`;
  return [
    `Send this WhatsApp message from ${from} to ${whom}?`,
    shownText(text),
    "The agent read messages of another customer before, which may have been written to steer it. Check whether you want this message and this recipient.",
  ].join("\n\n");
}

/** Turns the backend's "taken" into the outcome, waiting a little for WhatsApp's answer. */
async function finishSend({ caller, signal }: ToolContext, taken: Taken) {
  if (isRefusal(taken)) return taken;
  if ("valid" in taken) return { valid: taken.valid, window: windowOf(taken.windowExpiresAt, Date.now()) };
  return withNextStep(await awaitOutcome(caller.identity, taken, signal));
}

/** Tells an agent what an outcome that is not final asks of it. */
function withNextStep(result: SendOutcome) {
  if (result.outcome === "pending") {
    return {
      ...result,
      next_step: "The message is on its way. Look at its status with get_conversation; do not send it again.",
    };
  }
  if (result.outcome === "unknown")
    return { ...result, ...defined({ next_step: errorSpec("send_unknown").nextStep }) };
  return result;
}
