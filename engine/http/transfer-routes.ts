import { pipeline } from "node:stream/promises";
import type { Exports } from "../transfer/exports";
import { answerText, type Exchange } from "./answer";
import { HttpError } from "./http-error";

/** A snapshot never changes under its timestamp (Convex: 30 days). */
const CACHE_CONTROL = "private, max-age=2592000";

const EXPORT_ZIP = "/api/export/zip/";

export type TransferRoutes = { exports: Exports };

/** The routes of `convex export` and `convex import`, for administrators; null where `exchange` asks for another. */
export function transferRoute({
  request,
  url,
}: Exchange): ((exchange: Exchange, routes: TransferRoutes) => Promise<void>) | null {
  const { pathname } = url;
  if (request.method === "POST" && pathname === "/api/export/request/zip") {
    return requestExport;
  }
  if (request.method === "GET" && pathname.startsWith(EXPORT_ZIP)) {
    return sendExport;
  }
  return null;
}

async function requestExport(exchange: Exchange, { exports }: TransferRoutes): Promise<void> {
  await exports.request({ includesFiles: exchange.url.searchParams.get("includeStorage") === "true" });
  answerText(exchange, "");
}

async function sendExport({ url, response }: Exchange, { exports }: TransferRoutes): Promise<void> {
  const zip = await exports.zip(url.pathname.slice(EXPORT_ZIP.length));
  if (zip === null) {
    throw new HttpError(
      404,
      "ExportNotFound",
      "There is no export of this time: only the newest one is kept.",
    );
  }
  response.writeHead(200, {
    "content-type": "application/zip",
    "content-length": zip.size,
    "content-disposition": `attachment; filename=${zip.fileName}`,
    "cache-control": CACHE_CONTROL,
  });
  await pipeline(zip.open(), response);
}
