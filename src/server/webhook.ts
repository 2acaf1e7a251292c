import { WEBHOOK_BODY_BYTES_MAX } from "#shared/domain/limits";
import { parseSignatureHeader } from "#shared/signature";
import { api } from "../../convex/_generated/api";
import { AppError } from "./app-error";
import { readBody } from "./body";
import { equalInConstantTime } from "./constant-time";
import { mutateAs, queryAs } from "./convex";
import { serverEnv } from "./env";
import { logError } from "./log";
import { errorResponse, jsonResponse } from "./route";

/** Meta's handshake: proves that whoever set up the webhook knows our verify token, or that of an account. */
export async function answerHandshake(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const token = searchParams.get("hub.verify_token");
  const challenge = searchParams.get("hub.challenge");
  const expected = serverEnv().WEBHOOK_VERIFY_TOKEN;
  const asks = token !== null && challenge !== null && searchParams.get("hub.mode") === "subscribe";
  if (!asks) return errorResponse("webhook", AppError.of("forbidden"));
  const isDefault = expected !== undefined && equalInConstantTime(token, expected);
  if (!isDefault && !(await queryAs({ use: "service" }, api.webhook.isVerifyToken, { token }))) {
    return errorResponse("webhook", AppError.of("forbidden"));
  }
  return new Response(challenge, {
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/**
 * Hands one delivery to the backend as the very bytes that came, because the signature covers bytes. Answers 200
 * only after the backend has stored it; whatever keeps it from storing is a 503, so that Meta delivers again.
 */
export async function takeDelivery(request: Request): Promise<Response> {
  const body = await readBody(request, WEBHOOK_BODY_BYTES_MAX);
  if (body === null) return tooLarge();
  const signature = request.headers.get("x-hub-signature-256");
  // A header that cannot be a signature does not cost the backend a call.
  if (parseSignatureHeader(signature) === null) return unauthorized();
  try {
    const { outcome } = await mutateAs(null, api.webhook.ingestWebhook, { body: body.buffer, signature });
    if (outcome === "unauthorized") return unauthorized();
    if (outcome === "too_large") return tooLarge();
    return jsonResponse({ outcome });
  } catch (error) {
    logError("webhook", error);
    return errorResponse("webhook", AppError.of("unavailable"));
  }
}

const unauthorized = (): Response => errorResponse("webhook", AppError.of("unauthorized"));
const tooLarge = (): Response => errorResponse("webhook", AppError.of("payload_too_large"));
