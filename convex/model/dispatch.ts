import type { Infer } from "convex/values";
import { formatCallbackData } from "#shared/ids";
import type { SendResult } from "#shared/whatsapp/client";
import { graphErrorRule } from "#shared/whatsapp/graph-errors";
import type { Id } from "../_generated/dataModel";
import { graphClient } from "./graph";
import { type PreparedFile, withPreparedFile } from "./outgoingMedia";
import { openAccountSecret } from "./secrets";
import { buildSendBody } from "./sendBody";
import type { sendJob } from "./sendClaim";
import type { SendReport } from "./sendMachine";

type SendJob = Infer<typeof sendJob>;

/**
 * The part of a send that happens outside the database. Everything that can fail without a network is done first,
 * then `markDispatching` writes down that the request leaves, then it leaves. `file` is how the file of the send came to
 * Meta, null for a send without one. Null when the claim was lost meanwhile.
 */
export async function dispatch(
  outboxId: Id<"outbox">,
  job: SendJob,
  file: PreparedFile | null,
  markDispatching: () => Promise<boolean>,
): Promise<SendReport | null> {
  const prepared = file === null ? { payload: job.payload } : withPreparedFile(job.payload, file);
  if (prepared.payload === undefined) return prepared.report;
  const accessToken = await openAccountSecret(job, "accessToken", job.accessTokenSealed);
  if (accessToken === null) return { event: "cancel", code: "misconfigured" };
  const callbackData = formatCallbackData({ sendId: outboxId, attempt: job.attempt });
  const built = buildSendBody(prepared.payload, callbackData);
  if (!built.ok) return { event: "cancel", code: "invalid_message" };
  const client = graphClient(accessToken);
  if (!(await markDispatching())) return null;
  return reportOf(await client.sendMessage(job.phoneNumberId, built.body));
}

function reportOf(result: SendResult): SendReport {
  switch (result.outcome) {
    case "accepted": {
      const { waId } = result.recipient;
      return { event: "accepted", wamid: result.wamid, ...(waId !== undefined && { waId }) };
    }
    case "rejected":
      return {
        event: "rejected",
        code: graphErrorRule(result.error).code,
        reason: `graph_${result.error.code}`,
      };
    case "rateLimited": {
      const code = result.error === null ? "whatsapp_rate_limited" : graphErrorRule(result.error).code;
      const reason = result.error === null ? "http_429" : `graph_${result.error.code}`;
      const { retryAfterMs } = result;
      return { event: "rateLimited", code, reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    }
    case "notSent":
      return { event: "notSent", reason: result.reason };
    case "unknown":
      return { event: "unknown", reason: result.reason };
    default:
      return result satisfies never;
  }
}
