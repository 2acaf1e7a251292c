import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { AppError } from "../../server/app-error";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { isoTime } from "../shapes";

export const getMessageStatus = defineTool({
  name: "get_message_status",
  title: "Get message status",
  description:
    "Says how far a message has come (queued, sent, delivered, read, failed) with the time of each step and why it " +
    "failed. Name it by `message_id` (id or wamid), or by the `client_request_id` that you gave to the send. Use it " +
    "after an outcome of pending or unknown.",
  scope: "messages:read",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    message_id: params.messageId("message").optional(),
    client_request_id: params.clientRequestId,
  }),
  answer: z.object({
    message_id: z.string(),
    wamid: z.string().optional(),
    direction: z.enum(["inbound", "outbound"]),
    status: z.string(),
    steps: z.array(z.object({ status: z.string(), at: z.string() })),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    reaction: z.object({ state: z.string() }).optional().describe("Of a reaction: how it went itself."),
  }),
  run: async ({ caller }, { from, message_id, client_request_id }) => {
    if ((message_id === undefined) === (client_request_id === undefined)) {
      throw AppError.of("invalid_request", { say: "Give either `message_id` or `client_request_id`." });
    }
    const asked = defined({ from, message: message_id, clientRequestId: client_request_id });
    const found = await queryAs(caller.identity, api.mcpReads.getMessageStatus, asked);
    if (isRefusal(found)) return found;
    const { message, steps, reaction } = found;
    return {
      message_id: message._id,
      direction: message.direction,
      status: message.status,
      steps: steps.map(({ status, at }) => ({ status, at: isoTime(at) })),
      ...defined({
        wamid: message.wamid,
        error: reaction?.error ?? message.error,
        reaction: reaction && { state: reaction.state },
      }),
    };
  },
});
