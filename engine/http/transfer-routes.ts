import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Backups } from "../backup/backups";
import type { Exports } from "../transfer/exports";
import type { ImportRequest, Imports } from "../transfer/imports";
import { answerJson, answerText, type Exchange } from "./answer";
import { CALL_BYTES_MAX, readJsonBody } from "./body";
import { HttpError } from "./http-error";

/** A snapshot never changes under its timestamp (Convex: 30 days). */
const CACHE_CONTROL = "private, max-age=2592000";

const EXPORT_ZIP = "/api/export/zip/";

export type TransferRoutes = { exports: Exports; imports: Imports; backups: Backups };

type Route = (exchange: Exchange, routes: TransferRoutes) => Promise<void>;

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["POST /api/export/request/zip", requestExport],
  ["POST /api/engine/backup", sendBackup],
  ["POST /api/import/start_upload", startUpload],
  ["POST /api/import/upload_part", uploadPart],
  ["POST /api/import/finish_upload", finishUpload],
  ["POST /api/perform_import", performImport],
]);

/** The routes of `convex export` and `convex import` and of backups, for administrators; null where `exchange` asks for another. */
export function transferRoute({ request, url }: Exchange): Route | null {
  const isZip = request.method === "GET" && url.pathname.startsWith(EXPORT_ZIP);
  return isZip ? sendExport : (ROUTES.get(`${request.method} ${url.pathname}`) ?? null);
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

/** Not of Convex: what `npm run engine -- backup` asks of an engine that runs. */
async function sendBackup({ response }: Exchange, { backups }: TransferRoutes): Promise<void> {
  await backups.send(response, () =>
    response.writeHead(200, { "content-type": "application/zip" }).flushHeaders(),
  );
}

async function startUpload(exchange: Exchange, { imports }: TransferRoutes): Promise<void> {
  answerJson(exchange, 200, { uploadToken: await imports.uploads.start() });
}

async function uploadPart(exchange: Exchange, { imports }: TransferRoutes): Promise<void> {
  const { searchParams } = exchange.url;
  const token = searchParams.get("uploadToken") ?? "";
  const partNumber = Number(searchParams.get("partNumber") ?? "");
  answerJson(exchange, 200, await imports.uploads.part(token, partNumber, exchange.request));
}

const finishJson = z.object({
  import: z.object({
    tableName: z.string().nullish(),
    componentPath: z.string().nullish(),
    mode: z.enum(["requireEmpty", "append", "replace", "replaceAll"]).default("requireEmpty"),
    format: z.enum(["zip", "csv", "jsonLines", "jsonArray"]),
  }),
  uploadToken: z.string(),
  partTokens: z.array(z.string()),
});

async function finishUpload(exchange: Exchange, { imports }: TransferRoutes): Promise<void> {
  const parsed = finishJson.safeParse(await readJsonBody(exchange.request, CALL_BYTES_MAX));
  if (!parsed.success) {
    throw new HttpError(
      400,
      "BadRequest",
      `This is not an import of the Convex CLI: ${z.prettifyError(parsed.error)}`,
    );
  }
  const { uploadToken, partTokens, import: asked } = parsed.data;
  const request: ImportRequest = {
    format: formatOf(asked.format, asked.tableName ?? null),
    mode: asked.mode,
    component: asked.componentPath ?? "",
  };
  answerJson(exchange, 200, { importId: await imports.begin(request, uploadToken, partTokens) });
}

function formatOf(
  format: z.infer<typeof finishJson>["import"]["format"],
  table: string | null,
): ImportRequest["format"] {
  if (format === "zip") {
    if (table !== null) {
      throw new HttpError(400, "InvalidName", "ZIP import cannot have table name");
    }
    return { format };
  }
  if (table === null || table.startsWith("_")) {
    throw new HttpError(
      400,
      "InvalidName",
      "The import of a single table requires a table name without `_` before it",
    );
  }
  return { format, table };
}

const performJson = z.object({ importId: z.string() });

async function performImport(exchange: Exchange, { imports }: TransferRoutes): Promise<void> {
  const parsed = performJson.safeParse(await readJsonBody(exchange.request, CALL_BYTES_MAX));
  if (!parsed.success) {
    throw new HttpError(400, "BadRequest", "The importId is missing.");
  }
  await imports.confirm(parsed.data.importId);
  answerJson(exchange, 200, null);
}
