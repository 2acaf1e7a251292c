import { type Infer, v } from "convex/values";
import { toBase64Url } from "#shared/bytes";
import { defined } from "#shared/defined";
import { can } from "#shared/domain/roles";
import { refusal } from "#shared/errors";
import {
  isSignedMediaLink,
  LINK_LIFE_MS_MAX,
  LINK_PERIOD_MS,
  type MediaLink,
  mediaLinkPath,
  signMediaLink,
} from "#shared/media-link";
import { fitsDirection, hasScope } from "#shared/scopes";
import { MINUTE_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { type DoorRefusal, refuseScope } from "./grants";
import type { Caller } from "./identity";
import { secretsKeys } from "./secrets";

/** Long enough for an agent to fetch the file it has just asked for. */
const CALLER_LINK_LIFE_MS = 15 * MINUTE_MS;

/** Makes the links of one principal; null while there is no period yet, which is before the first file is stored. */
export type MediaLinker = (messageId: Id<"messages">) => Promise<string | undefined>;

/**
 * Makes links for a member. A query has no clock, so the links of one period all end at the same moment: the end of the
 * next period. When a period ends, the subscriptions run again and get new links, long before the old ones end.
 */
export async function mediaLinker(ctx: QueryCtx, principal: string): Promise<MediaLinker> {
  const period = await ctx.db.query("mediaLinkPeriods").withIndex("by_creation_time").first();
  if (period === null) return async () => undefined;
  const expiresAt = period.startedAt + LINK_LIFE_MS_MAX;
  return async (messageId) => await makeLink({ messageId, principal, expiresAt });
}

async function makeLink(link: Omit<MediaLink, "signature">): Promise<string | undefined> {
  const [key] = secretsKeys();
  return key === undefined ? undefined : mediaLinkPath(await signMediaLink(key.bytes, link));
}

/** Starts a period if none is running or its time is over. Called by the cron and when a file is stored. */
export async function turnLinkPeriod(ctx: MutationCtx, now: number): Promise<void> {
  const period = await ctx.db.query("mediaLinkPeriods").withIndex("by_creation_time").first();
  if (period !== null && now - period.startedAt < LINK_PERIOD_MS) return;
  if (period === null) await ctx.db.insert("mediaLinkPeriods", { startedAt: now });
  else await ctx.db.patch(period._id, { startedAt: now });
}

/** A link for the holder of a key to the file of one message, or why there is none. */
export async function linkForCaller(
  ctx: QueryCtx,
  caller: Caller,
  messageId: Id<"messages">,
  now: number,
): Promise<
  { refused?: never; link: string; expiresAt: number; mime?: string; filename?: string } | DoorRefusal
> {
  const barred = refuseScope(caller, "messages:read");
  if (barred !== null) return barred;
  const message = await ctx.db.get(messageId);
  if (message === null || !caller.grantedAccountIds.includes(message.accountId)) return refusal("not_found");
  if (message.media?.storageId === undefined) {
    const isPending = message.media?.state === "pending";
    return refusal("not_found", {
      say: isPending ? "The file is still being fetched." : "The message has no file.",
      ...(isPending && { nextStep: "Ask again in a few seconds." }),
    });
  }
  const expiresAt = now + CALLER_LINK_LIFE_MS;
  const link = await makeLink({ messageId, principal: `key:${caller.apiKeyId}`, expiresAt });
  if (link === undefined) return refusal("not_found");
  const { mime, filename } = message.media;
  return { link, expiresAt, ...defined({ mime, filename }) };
}

/** What the app needs to serve a file. */
export const openedMedia = v.object({
  /** Works without any further check, so it never leaves the server. */
  url: v.string(),
  mime: v.string(),
  bytes: v.number(),
  etag: v.string(),
  filename: v.optional(v.string()),
});

/**
 * The file behind a link, if the link is ours and not over, and its principal may still read the message: a member who
 * left, a key that was revoked and a message that is gone all give null, as a forged link does.
 */
export async function openMediaLink(
  ctx: QueryCtx,
  link: MediaLink,
  now: number,
): Promise<Infer<typeof openedMedia> | null> {
  const keys = secretsKeys().map(({ bytes }) => bytes);
  const isSigned = await isSignedMediaLink(keys, link);
  if (!isSigned || link.expiresAt <= now || link.expiresAt > now + LINK_LIFE_MS_MAX) return null;
  const messageId = ctx.db.normalizeId("messages", link.messageId);
  const message = messageId === null ? null : await ctx.db.get(messageId);
  if (message === null || !(await mayRead(ctx, link.principal, message.accountId, now))) return null;
  return await openFile(ctx, message.media);
}

async function mayRead(
  ctx: QueryCtx,
  principal: string,
  accountId: Id<"accounts">,
  now: number,
): Promise<boolean> {
  const [kind, ...rest] = principal.split(":");
  const id = rest.join(":");
  if (kind === "user") {
    const membership = await ctx.db
      .query("accountMembers")
      .withIndex("by_account_user", (q) => q.eq("accountId", accountId).eq("userId", id))
      .unique();
    return membership !== null && can(membership.role, "inbox.read");
  }
  const keyId = ctx.db.normalizeId("apiKeys", id);
  const key = keyId === null ? null : await ctx.db.get(keyId);
  if (key === null || key.revokedAt !== undefined) return false;
  if (key.expiresAt !== undefined && key.expiresAt <= now) return false;
  const scope = "messages:read";
  if (!hasScope(key.scopes, scope) || !fitsDirection(key.direction, scope)) return false;
  return key.grantedAccountIds.includes(accountId);
}

async function openFile(
  ctx: QueryCtx,
  media: Doc<"messages">["media"],
): Promise<Infer<typeof openedMedia> | null> {
  if (media?.state !== "ready" || media.storageId === undefined) return null;
  const url = await ctx.storage.getUrl(media.storageId);
  if (url === null) return null;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(media.storageId));
  return {
    url,
    mime: media.mime ?? "application/octet-stream",
    bytes: media.bytes ?? 0,
    etag: toBase64Url(digest).slice(0, 22),
    ...defined({ filename: media.filename }),
  };
}
