import { api } from "../../convex/_generated/api";
import { BackendUnavailable } from "./app-error";
import { queryAs } from "./convex";
import { parseEnv } from "./env";
import { logError } from "./log";

export type PartHealth = { ok: boolean; ms: number };
export type Health = { status: "ok" | "degraded"; parts: { settings: PartHealth; convex: PartHealth } };

/** The state of everything that this server needs; says whether each part works and never why not in detail. */
export async function readHealth(): Promise<Health> {
  const settings = await timed(async () => void parseEnv(process.env));
  const convex = await timed(async () => void (await queryAs(null, api.health.check, {})));
  return { status: settings.ok && convex.ok ? "ok" : "degraded", parts: { settings, convex } };
}

async function timed(check: () => Promise<void>): Promise<PartHealth> {
  const start = performance.now();
  try {
    await check();
    return { ok: true, ms: Math.round(performance.now() - start) };
  } catch (error) {
    if (!(error instanceof BackendUnavailable)) logError("health", error);
    return { ok: false, ms: Math.round(performance.now() - start) };
  }
}
