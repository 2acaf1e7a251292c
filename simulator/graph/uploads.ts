import type { ReceivedRequest } from "../http";
import type { Simulation } from "../simulation";
import { invalidParameter } from "./graph-error";
import type { GraphResult } from "./send-message";

/** Meta: "Resumable Upload API": files for template headers and profile pictures. */
const TYPES: ReadonlySet<string> = new Set([
  "application/pdf",
  "image/jpeg",
  "image/jpg",
  "image/png",
  "video/mp4",
]);
/** Unfinished uploads that are remembered. */
const UPLOADS_MAX = 100;

/** `POST /{app-id}/uploads`: begins an upload. */
export function beginUpload(simulation: Simulation, parameters: URLSearchParams): GraphResult {
  const length = Number(parameters.get("file_length"));
  const type = parameters.get("file_type") ?? "";
  if (!Number.isSafeInteger(length) || length <= 0) {
    return { failure: invalidParameter("Param file_length must be a positive number.") };
  }
  if (!TYPES.has(type))
    return { failure: invalidParameter(`Param file_type must be one of {${[...TYPES].join(", ")}}.`) };
  const id = `upload:${simulation.ids.secret("upload")}`;
  const { uploads } = simulation.world;
  uploads.set(id, { length, type, received: 0 });
  const [oldest] = uploads.keys();
  if (uploads.size > UPLOADS_MAX && oldest !== undefined) uploads.delete(oldest);
  return { ok: { id } };
}

/** `POST /upload:...`: bytes from `file_offset` on; the last of them give the handle. `GET` tells how far it is. */
export function continueUpload(
  simulation: Simulation,
  id: string,
  request: ReceivedRequest,
): GraphResult | null {
  const upload = simulation.world.uploads.get(id);
  if (upload === undefined) return null;
  if (request.method === "GET") return { ok: { id, file_offset: upload.received } };
  const offset = Number(request.headers["file_offset"] ?? "0");
  if (offset !== upload.received) {
    return { failure: invalidParameter(`The file_offset must be ${upload.received}.`) };
  }
  upload.received += request.body.length;
  if (upload.received > upload.length)
    return { failure: invalidParameter("The file is longer than file_length.") };
  if (upload.received < upload.length) return { ok: { id, file_offset: upload.received } };
  simulation.world.uploads.delete(id);
  return { ok: { h: `4::${Buffer.from(`${upload.type}\n${id}`).toString("base64")}` } };
}
