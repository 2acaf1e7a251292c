import * as z from "zod";
import { defined } from "#shared/defined";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { isoTime } from "../shapes";

const period = z.object({ limit: z.number(), left: z.number(), resets_at: z.string().optional() });

export const getUsage = defineTool({
  name: "get_usage",
  title: "Get usage",
  description:
    "Says how many messages this key may still send in this minute and on this day (UTC), and when the key ends. Look " +
    "here before sending to many customers, and after a refusal with rate_limited or cap_reached.",
  scope: null,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  answer: z.object({
    sends_per_minute: period,
    sends_per_day: period,
    key_expires_at: z.string().optional(),
  }),
  run: async ({ caller }) => {
    const { sends, expiresAt } = await queryAs(caller.identity, api.mcpReads.getUsage, {});
    const now = Date.now();
    return {
      sends_per_minute: periodOf(sends.minute, now),
      sends_per_day: periodOf(sends.day, now),
      ...defined({ key_expires_at: expiresAt === undefined ? undefined : isoTime(expiresAt) }),
    };
  },
});

/** The backend has no clock when it reads: a period that is over has everything left again. */
function periodOf(
  { limit, left, resetsAt }: { limit: number; left: number; resetsAt?: number },
  now: number,
) {
  if (resetsAt === undefined || resetsAt <= now) return { limit, left: limit };
  return { limit, left, resets_at: isoTime(resetsAt) };
}
