import { ConvexClient } from "convex/browser";
import type { FunctionArgs, FunctionReturnType } from "convex/server";
import { MINUTE_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import { serverEnv } from "./env";
import { type Identity, identityToken, mintIdentityToken } from "./identity";
import { logError } from "./log";

type KeyRef = FunctionArgs<typeof api.callers.resolveKey>;
type KeyFacts = NonNullable<FunctionReturnType<typeof api.callers.resolveKey>>;

type Followed = { facts: KeyFacts | undefined; usedAt: number; stop: () => void };

const SERVICE: Identity = { use: "service" };

/** A key that nobody used for so long is no longer followed; its next use asks once more. */
const IDLE_MS = MINUTE_MS;

/** Keys that one process follows. Further ones are asked for at each request, as all are at their first. */
const FOLLOWED_MAX = 1_000;

/** The connection of this process, while it follows keys. */
let line: { client: ConvexClient; isUp: boolean; sweep: NodeJS.Timeout } | undefined;
const followed = new Map<string, Followed>();

/**
 * What a key may do, if this process knows it for sure: it follows the key in the backend, hears of every change
 * within milliseconds of its commit, and knows nothing any more as soon as its connection is down.
 */
export function knownKey({ keyHash }: KeyRef): KeyFacts | undefined {
  const key = followed.get(keyHash);
  if (key === undefined) return undefined;
  key.usedAt = Date.now();
  return line?.isUp === true ? key.facts : undefined;
}

/** Begins to follow a key that is in use. */
export function followKey(ref: KeyRef): void {
  if (followed.has(ref.keyHash) || followed.size >= FOLLOWED_MAX) return;
  line ??= openLine();
  const key: Followed = { facts: undefined, usedAt: Date.now(), stop: () => undefined };
  followed.set(ref.keyHash, key);
  key.stop = line.client.onUpdate(
    api.callers.resolveKey,
    ref,
    (facts) => {
      if (facts === null) forget(ref.keyHash, key);
      else key.facts = facts;
    },
    (error) => {
      logError("live keys", error);
      forget(ref.keyHash, key);
    },
  );
}

function forget(keyHash: string, key: Followed): void {
  key.stop();
  if (followed.get(keyHash) === key) followed.delete(keyHash);
}

function openLine() {
  const client = new ConvexClient(serverEnv().NEXT_PUBLIC_CONVEX_URL, {
    skipConvexDeploymentUrlCheck: true,
    unsavedChangesWarning: false,
    logger: false,
  });
  client.setAuth(async ({ forceRefreshToken }) =>
    forceRefreshToken ? (await mintIdentityToken(SERVICE)).token : await identityToken(SERVICE),
  );
  const sweep = setInterval(endIdle, IDLE_MS);
  sweep.unref();
  const opened = { client, isUp: false, sweep };
  client.subscribeToConnectionState(({ isWebSocketConnected }) => {
    // What was known before a break may have changed during it; each key is told anew afterwards.
    if (!isWebSocketConnected) for (const key of followed.values()) key.facts = undefined;
    opened.isUp = isWebSocketConnected;
  });
  return opened;
}

function endIdle(): void {
  const before = Date.now() - IDLE_MS;
  for (const [keyHash, key] of followed) if (key.usedAt < before) forget(keyHash, key);
  if (followed.size === 0) closeLine();
}

function closeLine(): void {
  if (line === undefined) return;
  const { client, sweep } = line;
  line = undefined;
  clearInterval(sweep);
  client.close().catch((error: unknown) => logError("live keys", error));
}
