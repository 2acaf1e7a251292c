import type { Infer } from "convex/values";
import { graphErrorRule } from "#shared/whatsapp/graph-errors";
import { buildRead } from "#shared/whatsapp/outbound";
import { graphClient } from "./graph";
import type { readJob, readReport } from "./readMarks";
import { openAccountSecret } from "./secrets";

/** The part of a read receipt that happens outside the database: one POST, which may be repeated without harm. */
export async function tellRead(job: Infer<typeof readJob>): Promise<Infer<typeof readReport>> {
  const { wamid, typing } = job;
  const accessToken = await openAccountSecret(job, "accessToken", job.accessTokenSealed);
  if (accessToken === null) return { wamid, typing, outcome: "failed" };
  const result = await graphClient(accessToken).markRead(job.phoneNumberId, buildRead(wamid, { typing }));
  if (result.ok) return { wamid, typing, outcome: "told" };
  const again = result.error === undefined || graphErrorRule(result.error).backoff !== undefined;
  return { wamid, typing, outcome: again ? "retry" : "failed" };
}
