import { effectsOfHeader, type FaultEffect } from "../faults";
import { DOWNLOAD_PATH, linkedMedia, liveMedia, mediaLink, storeMedia } from "../handset/media-store";
import { json, type ReceivedRequest, type Reply } from "../http";
import { kindOfMimeType, MEDIA_KINDS } from "../media-kinds";
import type { Simulation } from "../simulation";
import type { StoredMedia } from "../world";
import { invalidParameter, missing } from "./graph-error";
import type { GraphResult } from "./send-message";

const MIB = 1024 * 1024;

/** `POST /{phone-number-id}/media`: a multipart form with `messaging_product`, `type` and `file`. */
export async function uploadMedia(simulation: Simulation, request: ReceivedRequest): Promise<GraphResult> {
  const form = await readForm(request);
  if (form === null) return { failure: invalidParameter("The body must be a multipart form.") };
  if (form.get("messaging_product") !== "whatsapp") {
    return { failure: invalidParameter("The parameter messaging_product is required and must be whatsapp.") };
  }
  const file = form.get("file");
  if (file === null || typeof file === "string") return { failure: missing("file") };
  const declared = form.get("type");
  const mimeType = (typeof declared === "string" && declared !== "" ? declared : file.type).toLowerCase();
  const kind = kindOfMimeType(mimeType);
  if (kind === undefined) {
    return {
      failure: invalidParameter(
        `Param file must be a file with one of the supported types - got "${mimeType.slice(0, 80)}".`,
      ),
    };
  }
  const bytes = Buffer.from(await file.arrayBuffer());
  if (bytes.length === 0) return { failure: invalidParameter("The file is empty.") };
  const { bytesMax } = MEDIA_KINDS[kind];
  if (bytes.length > bytesMax) {
    return {
      failure: invalidParameter(`The file is larger than the ${bytesMax} bytes allowed for ${kind}.`),
    };
  }
  const media = storeMedia(simulation, "business", { type: kind, mimeType, bytes, filename: file.name });
  return { ok: { id: media.id } };
}

/** `GET /{media-id}`: a fresh link and what is known about the file. Null when there is no such file. */
export function mediaObject(simulation: Simulation, id: string): object | null {
  const media = liveMedia(simulation, id);
  if (media === undefined) return null;
  return {
    messaging_product: "whatsapp",
    url: mediaLink(simulation, media),
    mime_type: media.mimeType,
    sha256: media.sha256Hex,
    file_size: media.bytes.length,
    id: media.id,
  };
}

/** Bytes that the fault `oversize` adds. */
const OVERSIZE_BYTES = 2 * MIB;

/** The answer to a media link: the bytes, or what a fault makes of them. */
export async function downloadMedia(
  simulation: Simulation,
  request: ReceivedRequest,
  isAllowed: boolean,
): Promise<Reply> {
  if (!isAllowed) return html(401, "Authentication is needed");
  const media = linkedMedia(simulation, request.url.searchParams);
  if (media === undefined) return html(404, "The link is not valid or too old");
  const facts = { place: "download" as const, path: DOWNLOAD_PATH, type: media.type };
  const asked = effectsOfHeader(request.headers["x-sim-fault"], facts);
  if ("problem" in asked) return json(400, { error: { path: "x-sim-fault", message: asked.problem } });
  const effects = [...asked, ...simulation.faults.take(facts)];
  return effects.reduce<Promise<Reply>>(
    async (reply, effect) => spoil(await reply, effect, simulation.faults.delayMs([effect])),
    Promise.resolve(file(media)),
  );
}

async function spoil(reply: Reply, effect: FaultEffect, delayMs: number): Promise<Reply> {
  const bytes = Buffer.from(reply.body);
  switch (effect.kind) {
    case "expired":
      return html(404, "The link is not valid or too old");
    case "wrong_sha":
      return {
        ...reply,
        body: Buffer.from(bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))),
      };
    case "oversize":
      return { ...reply, body: Buffer.concat([bytes, Buffer.alloc(OVERSIZE_BYTES)]) };
    case "redirect":
      return { status: 302, headers: { location: effect.to }, body: "" };
    case "slow":
      return later(reply, effect.ms);
    case "delay":
      return later(reply, delayMs);
    case "wrong_mime":
      return { ...reply, headers: { ...reply.headers, "content-type": effect.mimeType } };
    default:
      return reply;
  }
}

function later(reply: Reply, ms: number): Promise<Reply> {
  return new Promise((resolve) => setTimeout(() => resolve(reply), ms).unref());
}

function file(media: StoredMedia): Reply {
  return { status: 200, headers: { "content-type": media.mimeType }, body: media.bytes };
}

function html(status: number, title: string): Reply {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html><title>${title}</title><p>${title}.</p>`,
  };
}

async function readForm(request: ReceivedRequest): Promise<FormData | null> {
  const type = request.headers["content-type"] ?? "";
  if (!/^multipart\/form-data/i.test(type)) return null;
  try {
    return await new Response(new Uint8Array(request.body), { headers: { "content-type": type } }).formData();
  } catch {
    // A broken form is answered like any other wrong body.
    return null;
  }
}

/** `DELETE /{media-id}`. */
export function deleteMedia(simulation: Simulation, id: string): boolean {
  const media = liveMedia(simulation, id);
  if (media === undefined) return false;
  simulation.world.media.delete(id);
  return true;
}
