import { type Infer, v } from "convex/values";
import { defined } from "#shared/defined";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { mediaKind } from "../tables/uploads";
import { headerUpload, withHeaderId } from "./headerFiles";
import type { Payload } from "./sendBody";
import type { SendReport } from "./sendMachine";
import { findUpload } from "./uploads";

/**
 * The file of a send on its way to Meta: fetched from its link or taken from its upload, stored, and uploaded there. All
 * of it happens before the send is written down as leaving, so any of it may be repeated.
 */

/** What a worker needs to bring a file to Meta; the access token is still sealed. */
export const outgoingFile = v.object({
  messageId: v.id("messages"),
  kind: mediaKind,
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  uploadId: v.optional(v.id("uploads")),
  link: v.optional(v.string()),
  filename: v.optional(v.string()),
  /** Where it is stored already. */
  storageId: v.optional(v.id("_storage")),
  mime: v.optional(v.string()),
  graphMediaId: v.optional(v.string()),
  /** Until when Meta's id is used (ms). */
  graphMediaUntil: v.optional(v.number()),
});

/** How it went; `refused` will never go differently. */
export const preparedFile = v.union(
  v.object({ outcome: v.literal("ready"), graphMediaId: v.string() }),
  v.object({ outcome: v.literal("refused"), reason: v.string() }),
  v.object({ outcome: v.literal("retry"), reason: v.string() }),
);
export type PreparedFile = Infer<typeof preparedFile>;

/** Whether the file of a send still has to be brought to Meta. */
export function needsPreparing(payload: Payload): boolean {
  if (payload.type === "interactive") return headerUpload(payload.interactive) !== null;
  return payload.type === "media" && payload.graphMediaId === undefined;
}

/** The payload with Meta's id of its file, or the report that ends the attempt. */
export function withPreparedFile(
  payload: Payload,
  file: PreparedFile,
): { payload: Payload; report?: never } | { report: SendReport; payload?: never } {
  if (file.outcome === "refused") return { report: { event: "cancel", code: "media_refused" } };
  if (file.outcome === "retry") return { report: { event: "notSent", reason: file.reason } };
  if (payload.type === "interactive") {
    return { payload: { ...payload, interactive: withHeaderId(payload.interactive, file.graphMediaId) } };
  }
  if (payload.type !== "media") return { payload };
  const { link: _, uploadId: __, ...rest } = payload;
  return { payload: { ...rest, graphMediaId: file.graphMediaId } };
}

/** The file of a send that is under way, with what is known about it; null when there is nothing to bring. */
export async function planOutgoingFile(
  ctx: QueryCtx,
  outboxId: Id<"outbox">,
): Promise<Infer<typeof outgoingFile> | null> {
  const row = await ctx.db.get(outboxId);
  const account = row === null ? null : await ctx.db.get(row.accountId);
  if (row?.messageId === undefined || account === null) return null;
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  const worker = { messageId: row.messageId, phoneNumberId, sealId, accessTokenSealed };
  if (row.payload.type === "interactive") {
    const header = headerUpload(row.payload.interactive);
    const upload = header === null ? null : await findUpload(ctx, account, header.uploadId);
    if (header === null || upload === null) return null;
    const { _id: uploadId, filename, storageId, mime, graphMediaId, graphMediaUntil } = upload;
    const known = defined({ filename, storageId, mime, graphMediaId, graphMediaUntil });
    return { ...worker, kind: header.kind, uploadId, ...known };
  }
  if (row.payload.type !== "media") return null;
  const message = await ctx.db.get(row.messageId);
  if (message?.media === undefined) return null;
  const { media: kind, uploadId, link, filename } = row.payload;
  const { storageId, mime, graphMediaId } = message.media;
  const upload = uploadId === undefined ? null : await ctx.db.get(uploadId);
  const known =
    upload === null
      ? // Meta's id of a linked file is this message's own, so it is as young as the send.
        {
          graphMediaId: graphMediaId === "" ? undefined : graphMediaId,
          graphMediaUntil: Number.MAX_SAFE_INTEGER,
        }
      : { graphMediaId: upload.graphMediaId, graphMediaUntil: upload.graphMediaUntil };
  return {
    ...worker,
    kind,
    ...defined({ uploadId, link, filename: filename ?? message.media.filename, storageId, mime, ...known }),
  };
}

/** Remembers Meta's id of a file that one message alone carries. */
export async function noteMessageFile(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  graphMediaId: string,
): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message?.media === undefined) return;
  await ctx.db.patch(messageId, { media: { ...message.media, graphMediaId } });
}
