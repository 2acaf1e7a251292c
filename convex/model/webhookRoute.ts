import { constantTimeEqual, plainBytes } from "#shared/bytes";
import { WEBHOOK_BODY_BYTES_MAX } from "#shared/domain/limits";
import { hmacSha256 } from "#shared/signature";
import { internal } from "../_generated/api";
import type { ActionCtx } from "../_generated/server";
import { setting } from "./env";
import type { IngestOutcome } from "./ingest";

/**
 * Meta's handshake: the deployment's verify token (compared in constant time) or that of an account is answered with the challenge as plain
 * text, everything else with 403.
 */
export async function answerHandshake(ctx: ActionCtx, query: URLSearchParams): Promise<Response> {
  const expected = setting("WEBHOOK_VERIFY_TOKEN");
  const challenge = query.get("hub.challenge");
  if (challenge === null || query.get("hub.mode") !== "subscribe") return plain(403, "forbidden");
  const token = query.get("hub.verify_token") ?? "";
  const isDefault = expected !== undefined && (await sameSecret(token, expected));
  const allowed = isDefault || (await ctx.runQuery(internal.accountLink.isVerifyToken, { token }));
  return allowed ? plain(200, challenge) : plain(403, "forbidden");
}

/** Equal digests instead of equal texts, so that not even the length of the expected one shows in the time. */
async function sameSecret(given: string, expected: string): Promise<boolean> {
  const key = plainBytes(expected);
  return constantTimeEqual(await hmacSha256(key, given), await hmacSha256(key, expected));
}

/**
 * One delivery. 200 is said only after the transaction has committed; a storage that refuses is answered with 503, so
 * that Meta comes again. No answer tells why a delivery was not believed.
 */
export async function receiveDelivery(ctx: ActionCtx, request: Request): Promise<Response> {
  const body = await readBounded(request, WEBHOOK_BODY_BYTES_MAX);
  if (body === null) return answerTo("too_large");
  const signature = request.headers.get("x-hub-signature-256");
  try {
    return answerTo(await ctx.runMutation(internal.ingest.receive, { body, signature }));
  } catch (error) {
    console.error("A webhook could not be stored.", error instanceof Error ? error.name : "unknown error");
    return plain(503, "unavailable");
  }
}

const ANSWERS = {
  accepted: [200, "ok"],
  duplicate: [200, "ok"],
  unauthorized: [401, "unauthorized"],
  too_large: [413, "too large"],
} as const satisfies Record<IngestOutcome, readonly [number, string]>;

function answerTo(outcome: IngestOutcome): Response {
  const [status, text] = ANSWERS[outcome];
  return plain(status, text);
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/** The raw bytes of a request, or null as soon as they are more than allowed, whatever the length header says. */
async function readBounded(request: Request, bytesMax: number): Promise<ArrayBuffer | null> {
  if (Number(request.headers.get("content-length") ?? "0") > bytesMax) return null;
  if (request.body === null) return new ArrayBuffer(0);
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > bytesMax) {
      await reader.cancel();
      return null;
    }
    parts.push(part.value);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  return body.buffer;
}
