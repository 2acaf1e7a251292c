import * as z from "zod";
import { defined } from "#shared/defined";
import { errorSpec, isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { awaitOutcome, type SendOutcome } from "../await-outcome";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { windowOf, windowShape } from "../shapes";

export const sendText = defineTool({
  name: "send_text",
  title: "Send text",
  description:
    "Sends a WhatsApp text message to a customer, at once and for good. Free text needs an open 24-hour window " +
    "(see get_conversation). `contact` is a phone number, @username or a contact id from list_conversations; " +
    "`reply_to` is a message id from get_conversation. Set client_request_id, so that a repeated call sends " +
    "nothing twice. Outcome pending or unknown: do not send again, look at get_conversation later.",
  scope: "send",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    text: params.text,
    reply_to: params.replyTo,
    client_request_id: params.clientRequestId,
    validate_only: params.validateOnly,
  }),
  answer: z.object({
    outcome: z.enum(["accepted", "pending", "rejected", "unknown"]).optional(),
    message_id: z.string().optional(),
    wamid: z.string().optional().describe("WhatsApp's id, once it took the message."),
    error: z.object({ code: z.string(), message: z.string() }).optional().describe("Why it was rejected."),
    valid: z.literal(true).optional().describe("Answer to validate_only: the message would be taken."),
    window: windowShape.optional(),
    next_step: z.string().optional(),
  }),
  run: async ({ caller, signal }, args) => {
    const taken = await mutateAs(caller.identity, api.mcp.sendText, {
      contact: args.contact,
      text: args.text,
      validateOnly: args.validate_only,
      ...defined({ from: args.from, replyTo: args.reply_to, clientRequestId: args.client_request_id }),
    });
    if (isRefusal(taken)) return taken;
    if ("valid" in taken) return { valid: taken.valid, window: windowOf(taken.windowExpiresAt, Date.now()) };
    return withNextStep(await awaitOutcome(caller.identity, taken.messageId, signal));
  },
});

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
