import { parseArgs } from "node:util";
import { z } from "zod";
import { DEFAULT_TUNING, type Tuning } from "./tuning";

/** What a simulator is started with; everything has a default. */
export interface SimulatorOptions {
  /** 0 takes a free port. */
  readonly port?: number;
  readonly appSecret?: string;
  readonly verifyToken?: string;
  /** The app's callback in the start state; its handshake is made before the first delivery. */
  readonly webhookUrl?: string;
  readonly seed?: string;
  /** A file that the world is restored from, and kept in. */
  readonly snapshot?: string;
  /** `off` where strangers may send links: nothing is fetched for them then. */
  readonly fetchLinks?: "on" | "off";
  /** A file to which every call and webhook is added. */
  readonly record?: string;
  /** A recording whose webhooks are sent once the simulator listens. */
  readonly replay?: string;
  /** Waits after acceptance before each status, by the virtual clock. */
  readonly statusDelaysMs?: { readonly sent: number; readonly delivered: number; readonly read: number };
  /** How Meta behaves where it varies; what is left out is as usual. */
  readonly tuning?: Partial<Tuning>;
}

export interface SimulatorSettings {
  readonly port: number;
  readonly appSecret: string;
  readonly verifyToken: string;
  readonly webhookUrl: string | null;
  readonly seed: string;
  readonly snapshot: string | null;
  readonly record: string | null;
  readonly replay: string | null;
  readonly statusDelaysMs: { readonly sent: number; readonly delivered: number; readonly read: number };
  readonly tuning: Tuning;
}

export const DEFAULT_PORT = 4004;

/** Short enough not to slow a test, long enough that the ticks are seen to move and statuses keep their order. */
const STATUS_DELAYS_MS = { sent: 60, delivered: 200, read: 500 };

export function settingsOf(options: SimulatorOptions): SimulatorSettings {
  return {
    port: options.port ?? DEFAULT_PORT,
    appSecret: options.appSecret ?? "sim-app-secret",
    verifyToken: options.verifyToken ?? "sim-verify-token",
    webhookUrl: options.webhookUrl ?? null,
    seed: options.seed ?? "1",
    snapshot: options.snapshot ?? null,
    record: options.record ?? null,
    replay: options.replay ?? null,
    statusDelaysMs: options.statusDelaysMs ?? STATUS_DELAYS_MS,
    tuning: { ...DEFAULT_TUNING, fetchLinks: options.fetchLinks !== "off", ...options.tuning },
  };
}

const text = z.string().min(1, "must not be empty");
const rawOptions = z.object({
  port: z
    .string()
    .regex(/^\d{1,5}$/, "must be a number")
    .transform(Number)
    .pipe(z.int().max(65_535))
    .optional(),
  appSecret: text.optional(),
  verifyToken: text.optional(),
  webhookUrl: z.url({ protocol: /^https?$/, error: "must be an http or https address" }).optional(),
  seed: text.optional(),
  snapshot: text.optional(),
  fetchLinks: z.enum(["on", "off"], { error: "must be on or off" }).optional(),
  record: text.optional(),
  replay: text.optional(),
});

/** Flag, environment variable and option; a flag wins over its variable. */
const SOURCES = [
  ["port", "SIM_PORT", "port"],
  ["app-secret", "SIM_APP_SECRET", "appSecret"],
  ["verify-token", "SIM_VERIFY_TOKEN", "verifyToken"],
  ["webhook-url", "SIM_WEBHOOK_URL", "webhookUrl"],
  ["seed", "SIM_SEED", "seed"],
  ["snapshot", "SIM_SNAPSHOT", "snapshot"],
  ["fetch-links", "SIM_FETCH_LINKS", "fetchLinks"],
  ["record", "SIM_RECORD", "record"],
  ["replay", "SIM_REPLAY", "replay"],
] as const;

/**
 * Options from the command line and the environment, or one sentence about the first thing that is wrong. An empty
 * variable counts as not set, because `.env` files often list them so.
 */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { options: SimulatorOptions } | { problem: string } {
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...args],
      options: Object.fromEntries(SOURCES.map(([flag]) => [flag, { type: "string" as const }])),
    }).values;
  } catch (error) {
    const flags = SOURCES.map(([flag]) => `--${flag}`).join(", ");
    return {
      problem: `${error instanceof Error ? error.message : "A flag is wrong."} Known flags: ${flags}.`,
    };
  }
  const given: Record<string, string | boolean> = {};
  const names = new Map<string, string>();
  for (const [flag, variable, option] of SOURCES) {
    const value = values[flag] ?? (env[variable] || undefined);
    if (value === undefined) continue;
    given[option] = value;
    names.set(option, values[flag] === undefined ? variable : `--${flag}`);
  }
  const parsed = rawOptions.safeParse(given);
  if (parsed.success) return { options: withoutUndefined(parsed.data) };
  const issue = parsed.error.issues[0];
  return {
    problem: `${names.get(String(issue?.path[0])) ?? "An option"} ${issue?.message ?? "is not valid"}.`,
  };
}

function withoutUndefined({
  port,
  appSecret,
  verifyToken,
  webhookUrl,
  seed,
  snapshot,
  fetchLinks,
  record,
  replay,
}: z.infer<typeof rawOptions>): SimulatorOptions {
  return {
    ...(port !== undefined && { port }),
    ...(appSecret !== undefined && { appSecret }),
    ...(verifyToken !== undefined && { verifyToken }),
    ...(webhookUrl !== undefined && { webhookUrl }),
    ...(seed !== undefined && { seed }),
    ...(snapshot !== undefined && { snapshot }),
    ...(fetchLinks !== undefined && { fetchLinks }),
    ...(record !== undefined && { record }),
    ...(replay !== undefined && { replay }),
  };
}
