import type { Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

/** A document holds at most 1 MiB including its other fields; 900 KiB leaves room for those and for the encoding. */
const PART_BYTES_MAX = 900 * 1024;

/** Parts of the largest body, with one to spare; the bound keeps the read from ever being open-ended. */
const PARTS_MAX = 6;

/** Stores the raw bytes of a body, in pieces that fit into documents. */
export async function storeBody(
  ctx: MutationCtx,
  logId: Id<"webhookLogs">,
  body: ArrayBuffer,
): Promise<void> {
  for (let part = 0; part * PART_BYTES_MAX < body.byteLength; part++) {
    const bytes = body.slice(part * PART_BYTES_MAX, (part + 1) * PART_BYTES_MAX);
    await ctx.db.insert("webhookBodies", { logId, part, bytes });
  }
}

/** The raw bytes as they came. Empty when retention has removed them. */
export async function loadBody(ctx: QueryCtx, logId: Id<"webhookLogs">): Promise<Uint8Array> {
  const parts = await bodyParts(ctx, logId);
  const body = new Uint8Array(parts.reduce((size, { bytes }) => size + bytes.byteLength, 0));
  let offset = 0;
  for (const { bytes } of parts) {
    body.set(new Uint8Array(bytes), offset);
    offset += bytes.byteLength;
  }
  return body;
}

/** Removes the raw bytes. */
export async function dropBody(ctx: MutationCtx, logId: Id<"webhookLogs">): Promise<void> {
  for (const part of await bodyParts(ctx, logId)) await ctx.db.delete(part._id);
}

async function bodyParts(ctx: QueryCtx, logId: Id<"webhookLogs">) {
  return await ctx.db
    .query("webhookBodies")
    .withIndex("by_log", (q) => q.eq("logId", logId))
    .take(PARTS_MAX);
}
