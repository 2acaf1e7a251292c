import { createWriteStream } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../command-line";
import { EngineError } from "../errors";
import { isJsonObject, parseJson } from "../json";

const MEBIBYTE = 1024 * 1024;
/** How much arrives between two lines of progress. */
const PROGRESS_EVERY_BYTES = 64 * MEBIBYTE;

/** Asks a running engine for a backup and writes what it sends. Throws EngineError with a sentence. */
export async function downloadBackup(
  origin: string,
  adminKey: string,
  target: string,
  say: (line: string) => void,
): Promise<void> {
  if (!URL.canParse(origin) || !/^https?:$/.test(new URL(origin).protocol)) {
    throw new UsageError(`--url must be an http or https URL, not ${origin}.`);
  }
  const response = await post(new URL("/api/engine/backup", origin), adminKey);
  if (response.statusCode !== 200) {
    throw new EngineError(
      "developer",
      "BackupRefused",
      `The engine at ${origin} refused: ${await reasonOf(response)}`,
    );
  }
  let bytes = 0;
  let toldBytes = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes - toldBytes >= PROGRESS_EVERY_BYTES) {
        toldBytes = bytes;
        say(`${Math.floor(bytes / MEBIBYTE)} MiB received`);
      }
      yield chunk;
    }
  };
  try {
    await pipeline(response, counted, createWriteStream(target, { mode: 0o600 }));
  } catch (error) {
    throw unreachable(origin, "it broke off in the middle", error);
  }
}

/** `fetch` would give up while the engine copies a large database before its first byte. */
function post(url: URL, adminKey: string): Promise<IncomingMessage> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    send(url, { method: "POST", headers: { authorization: `Convex ${adminKey}` } })
      .once("response", resolve)
      .once("error", (error) => reject(unreachable(url.origin, "it does not answer", error)))
      .end();
  });
}

async function reasonOf(response: IncomingMessage): Promise<string> {
  const body = await text(response);
  const json = body.startsWith("{") ? parseJson(body, "The answer") : null;
  return isJsonObject(json) && typeof json["message"] === "string"
    ? json["message"]
    : `status ${response.statusCode}.`;
}

function unreachable(origin: string, what: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(
    "overloaded",
    "EngineUnreachable",
    `The engine was asked for a backup at ${origin}, but ${what} (${reason}). Name its address with --url.`,
    { cause },
  );
}
