import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

export type IngestOutcome = "accepted" | "duplicate" | "unauthorized" | "too_large";

export async function ingestBody(
  _ctx: MutationCtx,
  _delivery: { body: ArrayBuffer; signature: string | null },
  _now: number,
): Promise<IngestOutcome> {
  fail("unavailable");
}
