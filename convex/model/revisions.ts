import { defined } from "#shared/defined";
import { PARKED_MS } from "#shared/domain/limits";
import { latestEdit, revokedAt } from "#shared/domain/revisions";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { StoredContent } from "./inboundContent";
import { startMediaDownload } from "./media";
import { appendMessageEvent } from "./messageEvents";
import { searchTextOf } from "./messageText";
import { releaseFile } from "./storedFiles";

type Revision = Doc<"messageEdits">;
type NewRevision = Omit<Revision, "_id" | "_creationTime" | "parkedUntil">;

/** Changes of one message that are looked at: WhatsApp lets an author change a message for 15 minutes. */
const REVISIONS_PER_MESSAGE_MAX = 256;

/** The line of a message that was taken back. */
const REVOKED_LINE = "Deleted a message";

/**
 * Records an edit or a revocation and updates its message, if that is here; otherwise it waits for it. Returns false
 * for a known one.
 */
export async function addRevision(ctx: MutationCtx, revision: NewRevision, now: number): Promise<boolean> {
  const { accountId, wamid, targetWamid } = revision;
  const known = await ctx.db
    .query("messageEdits")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .first();
  const nowLive = known?.imported === true && revision.imported !== true;
  if (known !== null && !nowLive) return false;
  const message = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", targetWamid))
    .unique();
  const parked = message === null ? { parkedUntil: now + PARKED_MS } : {};
  if (known === null) await ctx.db.insert("messageEdits", { ...revision, ...parked });
  else await ctx.db.patch(known._id, { imported: undefined });
  if (message !== null) await reviseMessage(ctx, message._id, [revision], now);
  return true;
}

/** Applies what was said about a message before the message itself came. */
export async function joinRevisions(
  ctx: MutationCtx,
  message: Pick<Doc<"messages">, "_id" | "accountId" | "wamid">,
  now: number,
): Promise<void> {
  if (message.wamid === undefined) return;
  const waiting = await revisionsOf(ctx, message.accountId, message.wamid);
  for (const { _id } of waiting) await ctx.db.patch(_id, { parkedUntil: undefined });
  if (waiting.length > 0) await reviseMessage(ctx, message._id, waiting, now);
}

/** Shows the latest state of a message and tells the stream about the changes that are new to it. */
async function reviseMessage(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  news: readonly NewRevision[],
  now: number,
): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message?.wamid === undefined) return;
  const side = message.direction === "inbound" ? "customer" : "business";
  const revisions = await revisionsOf(ctx, message.accountId, message.wamid);
  const edit = latestEdit(side, revisions);
  if (edit?.content !== undefined && edit.wamid !== message.editWamid) {
    await keepOriginal(ctx, message, side);
    await showEdit(ctx, message, { ...edit, content: edit.content }, now);
  }
  const gone = revokedAt(side, revisions);
  if (gone !== undefined) await ctx.db.patch(messageId, { revokedAt: gone });
  await refreshLine(ctx, message, gone === undefined ? edit?.content?.line : REVOKED_LINE);
  for (const { kind, from, wamid, timestamp, imported } of news) {
    if (kind === "original" || from !== side || imported) continue;
    const what = kind === "edit" ? "edited" : "revoked";
    await appendMessageEvent(ctx, messageId, {
      type: `message.${message.direction}.${what}`,
      dedupeKey: wamid,
      occurredAt: timestamp,
    });
  }
}

/** The first content of a message, which its first edit replaces. */
async function keepOriginal(
  ctx: MutationCtx,
  message: Doc<"messages">,
  from: Revision["from"],
): Promise<void> {
  const { accountId, contactId, wamid, timestamp, editWamid } = message;
  if (editWamid !== undefined || wamid === undefined) return;
  await ctx.db.insert("messageEdits", {
    accountId,
    contactId,
    wamid,
    targetWamid: wamid,
    kind: "original",
    from,
    timestamp,
    content: contentOf(message),
  });
}

async function showEdit(
  ctx: MutationCtx,
  message: Doc<"messages">,
  edit: Revision & { content: StoredContent },
  now: number,
): Promise<void> {
  const { line: _, ...content } = edit.content;
  // An edited caption comes with the same file; only another file is fetched anew.
  const sameFile = content.media !== undefined && content.media.graphMediaId === message.media?.graphMediaId;
  const media = sameFile ? message.media : content.media;
  const shown = { ...EMPTY_CONTENT, ...content, media };
  await ctx.db.patch(message._id, {
    ...shown,
    searchText: searchTextOf(defined(shown)),
    editedAt: edit.timestamp,
    editWamid: edit.wamid,
  });
  if (sameFile) return;
  // The words of every version are kept, the file of the latest only: its author has withdrawn the others.
  if (message.media?.storageId !== undefined) await releaseFile(ctx, message.media.storageId);
  await startMediaDownload(ctx, message._id, content.media?.sha256, now);
}

/** Every column of a content, so that an edit leaves nothing of the one before. */
const EMPTY_CONTENT = {
  text: undefined,
  caption: undefined,
  media: undefined,
  location: undefined,
  contacts: undefined,
  interactive: undefined,
  order: undefined,
  systemEvent: undefined,
  call: undefined,
  raw: undefined,
};

function contentOf(message: Doc<"messages">): StoredContent {
  const media = message.media && { ...message.media, storageId: undefined };
  const { type, text, caption, location, contacts, interactive, order, systemEvent, raw } = message;
  return {
    type,
    line: "",
    ...defined({
      text,
      caption,
      media: media && defined(media),
      location,
      contacts,
      interactive,
      order,
      systemEvent,
      raw,
    }),
  };
}

/** The list shows the newest message as it is now. */
async function refreshLine(
  ctx: MutationCtx,
  message: Doc<"messages">,
  line: string | undefined,
): Promise<void> {
  if (line === undefined) return;
  const conversation = await ctx.db.get(message.conversationId);
  if (conversation?.previewMessageId === message._id) await ctx.db.patch(conversation._id, { preview: line });
}

async function revisionsOf(ctx: QueryCtx, accountId: Id<"accounts">, wamid: string): Promise<Revision[]> {
  return await ctx.db
    .query("messageEdits")
    .withIndex("by_account_target", (q) => q.eq("accountId", accountId).eq("targetWamid", wamid))
    .take(REVISIONS_PER_MESSAGE_MAX);
}
