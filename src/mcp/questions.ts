import { setTimeout as delay } from "node:timers/promises";
import { INTERNAL_ERROR } from "@modelcontextprotocol/server";
import * as z from "zod";
import { mcpErrorText } from "#shared/errors";
import { MINUTE_MS, SECOND_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import { AppError } from "../server/app-error";
import type { Caller } from "../server/caller";
import { mutateAs, queryAs } from "../server/convex";
import { logError } from "../server/log";
import { type Answer, answerOf, elicitParams, type Question } from "./asking";
import type { MessageHead } from "./exchange";

/** Puts a question to the person behind the client and resolves with what they said. */
export type Ask = (question: Question) => Promise<Answer>;

/** Below the five minutes after which serverless hosts end a request. */
const WAIT_MAX_MS = 4 * MINUTE_MS;

/** How often a waiting call looks for the answer, which may have come to another process. */
const FIRST_PAUSE_MS = 50;
const PAUSE_MAX_MS = SECOND_MS;
const PAUSE_GROWTH = 1.5;

/** Shorter than the minute after which common proxies close a silent connection. */
const HEARTBEAT_MS = 15 * SECOND_MS;

const encoder = new TextEncoder();

/** What goes before the token in the ids of our requests, so that an answer is known for one. */
const ID_PREFIX = "confirm:";

const response = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: z.string().startsWith(ID_PREFIX),
  method: z.undefined().optional(),
});

/** The token that a message of the client answers, or null for every other message. */
export function answeredToken(message: unknown): string | null {
  const parsed = response.safeParse(message);
  return parsed.success ? parsed.data.id.slice(ID_PREFIX.length) : null;
}

/** Takes the client's answer to a question, an error included; the call that asked may be another process's. */
export async function takeAnswer({ identity }: Caller, token: string, message: unknown): Promise<void> {
  const { result } = z.looseObject({ result: z.unknown().optional() }).parse(message);
  await mutateAs(identity, api.mcpConfirmations.answer, { token, answer: answerOf(result) });
}

/**
 * Answers a call of a client of 2025, which may be asked something meanwhile. Where nothing is asked, the answer is
 * that of the call; where something is, it becomes a stream with the question in it and the call's answer at its end.
 */
export async function answerAsking(
  { request, caller, id }: { request: Request; caller: Caller; id: MessageHead["id"] },
  call: (ask: Ask) => Promise<Response>,
): Promise<Response> {
  const stream = openFrames();
  let onAsked = () => {};
  const asked = new Promise<null>((resolve) => {
    onAsked = () => resolve(null);
  });
  const answered = call(async (question) => {
    stream.write({
      id: ID_PREFIX + question.token,
      method: "elicitation/create",
      params: elicitParams(question),
    });
    onAsked();
    return await answerTo(caller, question.token, () => request.signal.aborted || stream.isGone());
  });
  const first = await Promise.race([answered, asked]);
  if (first !== null) return first;
  answered
    .then(async (final) => stream.writeText(await final.text()))
    .catch((error: unknown) => {
      const message = `${mcpErrorText(AppError.of("internal").data)} Error id: ${logError("mcp", error)}`;
      stream.write({ id, error: { code: INTERNAL_ERROR, message } });
    })
    .finally(stream.end);
  return stream.response;
}

/** Looks for the answer until it is there, nobody waits for it any more or the time is over. */
async function answerTo({ identity }: Caller, token: string, isGivenUp: () => boolean): Promise<Answer> {
  const deadline = Date.now() + WAIT_MAX_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MAX_MS)) {
    const said = await queryAs(identity, api.mcpConfirmations.read, { token });
    if (said === "accepted" || said === "declined") return said;
    if (said !== "waiting" || isGivenUp() || Date.now() + pauseMs > deadline) return "dismissed";
    await delay(pauseMs);
  }
}

/** A stream of messages to the client that can be written to before anybody reads it. */
function openFrames() {
  let isOpen = true;
  let heartbeat: NodeJS.Timeout | undefined;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const send = (frame: string) => {
    if (isOpen) controller?.enqueue(encoder.encode(frame));
  };
  const stop = () => {
    isOpen = false;
    clearInterval(heartbeat);
  };
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened;
    },
    cancel: stop,
  });
  const writeText = (text: string) => send(`event: message\ndata: ${text}\n\n`);
  return {
    isGone: () => !isOpen,
    writeText,
    write: (message: object) => {
      heartbeat ??= setInterval(() => send(": keepalive\n\n"), HEARTBEAT_MS).unref();
      writeText(JSON.stringify({ jsonrpc: "2.0", ...message }));
    },
    end: () => {
      if (isOpen) controller?.close();
      stop();
    },
    response: new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
      },
    }),
  };
}
