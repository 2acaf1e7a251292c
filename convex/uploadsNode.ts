"use node";

import { type Infer, v } from "convex/values";
import { MINUTE_MS, SECOND_MS } from "#shared/time";
import { MEDIA_RULES, mediaProblem } from "#shared/whatsapp/media-kinds";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import type { ActionCtx } from "./_generated/server";
import { internalAction } from "./functions";
import { fetchPublic } from "./model/egressNode";
import { egressPolicy } from "./model/egressPolicyNode";
import { setting } from "./model/env";
import { fileTypeOf } from "./model/fileType";
import { graphClient } from "./model/graph";
import { type outgoingFile, type PreparedFile, preparedFile } from "./model/outgoingMedia";
import { openAccountSecret } from "./model/secrets";

/** Shorter than the lease of a send; what is fetched later is kept for its next attempt. */
const LINK_DEADLINE_MS = 25 * SECOND_MS;
/** Time to bring 100 MB to Meta. */
const UPLOAD_DEADLINE_MS = 4 * MINUTE_MS;
/** Meta's words for a file that it will never take: a wrong parameter, a type or size that is not allowed. */
const REFUSING_CODES: ReadonlySet<number> = new Set([100, 131052, 131053]);

type File = Infer<typeof outgoingFile>;
type Stored = { storageId: Id<"_storage">; mime: string };
type Stop = Exclude<PreparedFile, { outcome: "ready" }>;

/** Judges an uploaded file by its bytes. */
export const judge = internalAction({
  args: { uploadId: v.id("uploads") },
  returns: v.null(),
  handler: async (ctx, { uploadId }): Promise<null> => {
    const upload = await ctx.runQuery(internal.uploads.toJudge, { uploadId });
    const blob = upload === null ? null : await ctx.storage.get(upload.storageId);
    if (upload === null || blob === null) return null;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const mime = await fileTypeOf(bytes, { mime: blob.type, filename: upload.filename });
    const reason = mediaProblem(upload.kind, mime, bytes.length);
    const verdict = { mime, ...(reason !== null && { reason }) };
    await ctx.runMutation(internal.uploads.settle, { uploadId, verdict });
    return null;
  },
});

/** Brings the file of a send to Meta, from its upload or its link. Decides nothing about the send. */
export const prepare = internalAction({
  args: { outboxId: v.id("outbox") },
  returns: preparedFile,
  handler: async (ctx, { outboxId }): Promise<PreparedFile> => {
    const file = await ctx.runQuery(internal.uploads.plan, { outboxId });
    if (file === null) return { outcome: "refused", reason: "file_gone" };
    const { graphMediaId, graphMediaUntil = 0 } = file;
    if (graphMediaId !== undefined && graphMediaUntil > Date.now()) return { outcome: "ready", graphMediaId };
    const stored = await ensureStored(ctx, file);
    return "outcome" in stored ? stored : await uploadToMeta(ctx, file, stored);
  },
});

async function ensureStored(ctx: ActionCtx, file: File): Promise<Stored | Stop> {
  const { messageId, kind, link, storageId, mime } = file;
  if (storageId !== undefined && mime !== undefined) return { storageId, mime };
  if (link === undefined) return { outcome: "refused", reason: "file_gone" };
  const policy = egressPolicy(setting("FORWARD_ALLOW_CIDRS"));
  const { bytesMax } = MEDIA_RULES[kind];
  const fetched = await fetchPublic(link, { policy, bytesMax, deadlineMs: LINK_DEADLINE_MS });
  if (!fetched.ok && !fetched.final) return { outcome: "retry", reason: fetched.reason };
  const type = fetched.ok
    ? await fileTypeOf(fetched.bytes, { mime: fetched.mime, filename: fetched.filename })
    : "";
  const reason = fetched.ok ? mediaProblem(kind, type, fetched.bytes.length) : fetched.reason;
  if (!fetched.ok || reason !== null) {
    const report = { outcome: "failed" as const, reason: reason ?? "link_unreachable" };
    await ctx.runMutation(internal.uploads.settleLinked, { messageId, report });
    return { outcome: "refused", reason: report.reason };
  }
  const id = await ctx.storage.store(new Blob([new Uint8Array(fetched.bytes)], { type }));
  const report = { outcome: "stored" as const, storageId: id, bytes: fetched.bytes.length, mime: type };
  if (await ctx.runMutation(internal.uploads.settleLinked, { messageId, report }))
    return { storageId: id, mime: type };
  // Another attempt was quicker; the next one finds its file.
  await ctx.storage.delete(id);
  return { outcome: "retry", reason: "file_taken" };
}

async function uploadToMeta(ctx: ActionCtx, file: File, { storageId, mime }: Stored): Promise<PreparedFile> {
  const accessToken = await openAccountSecret(file, "accessToken", file.accessTokenSealed);
  const blob = await ctx.storage.get(storageId);
  if (accessToken === null || blob === null) return { outcome: "refused", reason: "file_gone" };
  const client = graphClient(accessToken, UPLOAD_DEADLINE_MS);
  const typed = new Blob([await blob.arrayBuffer()], { type: mime });
  const answer = await client.uploadMedia(file.phoneNumberId, typed, file.filename ?? file.kind);
  if (!answer.ok) {
    const isFinal = answer.error !== undefined && REFUSING_CODES.has(answer.error.code);
    return { outcome: isFinal ? "refused" : "retry", reason: answer.reason };
  }
  const { messageId, uploadId } = file;
  const graphMediaId = answer.value;
  await ctx.runMutation(internal.uploads.noteGraphId, {
    messageId,
    graphMediaId,
    ...(uploadId !== undefined && { uploadId }),
  });
  return { outcome: "ready", graphMediaId };
}
