/// <reference types="node" />
"use node";

import { lookup } from "node:dns/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { SECOND_MS } from "#shared/time";
import type { Fetched, FetchOptions, FetchPublic } from "./egress";
import {
  type CheckedLink,
  checkLink,
  hostOf,
  isAllowedAddress,
  isOpenedAddress,
  portOf,
} from "./egressPolicyNode";

/**
 * The only way in which links of tenants are fetched. A connection is made to an address that was checked, and to no
 * other: the name is resolved once, every answer is checked, one of them is dialled by its number, and the address at
 * the other end is compared before the first byte of the request. Redirects pass the same checks.
 */

/** Time from the first look-up to the last byte: Meta itself gives a link about as long. */
const FETCH_DEADLINE_MS = 60 * SECOND_MS;
/** Links of file hosts redirect once or twice. */
const REDIRECTS_MAX = 3;
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fetches a file from a link that a tenant gave. Never throws. */
export const fetchPublic: FetchPublic = async (link, options) => {
  const signal = AbortSignal.timeout(options.deadlineMs ?? FETCH_DEADLINE_MS);
  try {
    return await follow(link, options, signal);
  } catch (error) {
    if (signal.aborted) return { ok: false, reason: "link_timeout", final: false };
    if (error instanceof Refused) return { ok: false, reason: error.message, final: true };
    return { ok: false, reason: "link_unreachable", final: false };
  }
};

/** A connection that is not made on purpose. */
class Refused extends Error {
  override readonly name = "Refused";
}

async function follow(link: string, options: FetchOptions, signal: AbortSignal): Promise<Fetched> {
  let target = link;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const checked = checkLink(target, options.policy);
    if (!checked.ok) return { ok: false, reason: checked.reason, final: true };
    const response = await get(checked, options, signal);
    const { statusCode = 0, headers } = response;
    if (!REDIRECT_STATUS.has(statusCode)) return await readFile(checked.url, response, options.bytesMax);
    response.destroy();
    if (headers.location === undefined) return { ok: false, reason: `link_http_${statusCode}`, final: true };
    target = URL.canParse(headers.location, checked.url) ? new URL(headers.location, checked.url).href : "";
  }
  return { ok: false, reason: "link_too_many_redirects", final: true };
}

type Target = Extract<CheckedLink, { ok: true }>;

async function get(target: Target, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { url } = target;
  const socket = await openChecked(target, options, signal);
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket,
      host: url.hostname,
      path: `${url.pathname}${url.search}`,
      // No Accept-Encoding: what arrives is what is counted, so nothing can swell while it is unpacked.
      headers: { host: url.host, accept: "*/*", "user-agent": "pons/1", connection: "close" },
      signal,
    });
    request.once("response", resolve);
    request.once("error", reject);
    request.end();
  });
}

/** A connected socket whose other end was checked; for https with the certificate of the name. */
async function openChecked(target: Target, options: FetchOptions, signal: AbortSignal): Promise<Socket> {
  const { url } = target;
  const host = hostOf(url);
  const address = await chooseAddress(target, options, signal);
  const socket = connectTcp({ host: address, port: portOf(url), signal });
  await once(socket, "connect");
  if (!isGood(socket.remoteAddress ?? "", target, options)) {
    socket.destroy();
    throw new Refused("link_address_refused");
  }
  if (url.protocol === "http:") return socket;
  const secure = connectTls({
    socket,
    ALPNProtocols: ["http/1.1"],
    // A name to ask for; an address has none (RFC 6066).
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(options.ca !== undefined && { ca: options.ca }),
  });
  await once(secure, "secureConnect");
  return secure;
}

function isGood(address: string, { onlyOpened }: Target, { policy }: FetchOptions): boolean {
  return onlyOpened === undefined ? isAllowedAddress(address, policy) : isOpenedAddress(address, policy);
}

async function chooseAddress(target: Target, options: FetchOptions, signal: AbortSignal): Promise<string> {
  const host = hostOf(target.url);
  if (isIP(host) !== 0) return host;
  const resolve = options.resolve ?? (async (name) => await lookup(name, { all: true, verbatim: true }));
  const answers = await untilAborted(resolve(host), signal);
  // One bad answer among good ones is how a name is made to lead inside at the second look.
  if (answers.some(({ address }) => !isGood(address, target, options))) {
    throw new Refused(target.onlyOpened ?? "link_address_refused");
  }
  const [first] = answers;
  if (first === undefined) throw new Error("The name has no address.");
  return first.address;
}

/** Looking up a name cannot be cancelled, so its answer is left behind when the time is up. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await Promise.race([
    work,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("The time is up.")), { once: true });
    }),
  ]);
}

async function once(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed.")));
  });
}

async function readFile(url: URL, response: IncomingMessage, bytesMax: number): Promise<Fetched> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200) {
    response.destroy();
    // Gone or forbidden stays so; a server in trouble or under load may recover.
    const final = statusCode < 500 && statusCode !== 429 && statusCode !== 408;
    return { ok: false, reason: `link_http_${statusCode}`, final };
  }
  if (Number(headers["content-length"] ?? 0) > bytesMax) {
    response.destroy();
    return { ok: false, reason: "too_large", final: true };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    // Without an encoding set, a response gives buffers.
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    // Leaving the loop destroys the response and its connection.
    if (size > bytesMax) return { ok: false, reason: "too_large", final: true };
    chunks.push(chunk);
  }
  if (!response.complete) return { ok: false, reason: "link_unreachable", final: false };
  const mime = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const filename = lastSegment(url);
  return {
    ok: true,
    bytes: new Uint8Array(Buffer.concat(chunks)),
    ...(mime !== undefined && mime !== "" && { mime }),
    ...(filename !== undefined && { filename }),
  };
}

/** What the file is called in its link, if that looks like a name. */
function lastSegment({ pathname }: URL): string | undefined {
  const segment = pathname.split("/").at(-1) ?? "";
  try {
    const name = decodeURIComponent(segment);
    return /^[^\\/:*?"<>|]{1,200}\.[A-Za-z0-9]{1,8}$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
