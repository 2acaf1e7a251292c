import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { App } from "./convex-app";

/** One account with everything in it that a public function can be asked about. */
export interface World {
  accountId: Id<"accounts">;
  phone: string;
  /** A plain member beside the one who asks. */
  colleague: string;
  conversationId: Id<"conversations">;
  contactId: Id<"contacts">;
  /** What the customer wrote; it has a file. */
  messageId: Id<"messages">;
  /** What was answered from the dashboard. */
  sentId: Id<"messages">;
  itemId: Id<"webhookItems">;
  apiKeyId: Id<"apiKeys">;
  uploadId: Id<"uploads">;
  keyUploadId: Id<"uploads">;
  /** A file that was uploaded and that nobody has taken over. */
  storageId: Id<"_storage">;
  inviteId: Id<"accountInvites">;
  inviteToken: string;
  /** An export. */
  jobId: Id<"jobs">;
  /** Somebody who may be the customer, and the suggestion that says so. */
  twinId: Id<"contacts">;
  duplicateId: Id<"contactDuplicates">;
}

/** The most a key can be allowed. */
const ALL_SCOPES = ["read", "write", "send"];

/**
 * Fills an account of `person`, who is a plain member there. Whatever a customer or a person could read in it, names
 * included, contains `for ${person}`, so that a leak shows wherever it comes from.
 */
export async function openWorld(
  app: App,
  person: string,
  number: { phoneNumberId: string; phoneNumber: string },
): Promise<World> {
  const mark = `for ${person}`;
  const accountId = await app.addAccount({ ...number, name: mark });
  const owner = `owner-${person}`;
  const colleague = `colleague-${person}`;
  await app.join(accountId, owner, "owner");
  await app.join(accountId, person);
  await app.join(accountId, colleague);
  await app.receive(mark, { phoneNumberId: number.phoneNumberId, at: Date.now(), name: mark });
  const [conversation] = (await app.rows("conversations")).filter((row) => row.accountId === accountId);
  const item = (await app.rows("webhookItems")).find((row) => row.accountId === accountId);
  if (item === undefined) throw new Error("The customer's webhook was not recorded.");
  if (conversation?.previewMessageId === undefined) throw new Error("The customer's message was not stored.");

  const messageId = conversation.previewMessageId;
  const as = app.user(person);
  const { id: apiKeyId } = await as.action(api.keys.create, { accountId, name: mark, scopes: ALL_SCOPES });
  const sent = await as.mutation(api.messages.sendText, {
    accountId,
    conversationId: conversation._id,
    text: `${mark}, answered`,
    clientRequestId: "first",
  });
  if (!("messageId" in sent)) throw new Error("The answer was refused.");
  const ofPerson = await as.mutation(api.uploads.begin, { accountId, kind: "image" });
  const ofKey = await app.key(apiKeyId).mutation(api.mcp.beginUpload, { kind: "image" });
  if ("refused" in ofPerson || "refused" in ofKey) throw new Error("The upload did not begin.");
  const storageId = await app.backend.run(async (ctx) => await ctx.storage.store(new Blob([mark])));
  const picture = await app.backend.run(async (ctx) => await ctx.storage.store(new Blob([mark])));
  await app.backend.run(async (ctx) => {
    const media = { state: "ready" as const, graphMediaId: "1", mime: "image/png", storageId: picture };
    await ctx.db.patch(messageId, { media });
  });
  const invite = { accountId, email: `guest-${person}@x.test`, role: "member" as const };
  const { id: inviteId, token } = await app.user(owner).action(api.invites.create, invite);
  const jobId = await app.user(owner).mutation(api.exports.start, { accountId });
  const pair = await addTwin(app, accountId, conversation.contactId, mark);
  return {
    ...pair,
    accountId,
    phone: number.phoneNumber,
    colleague,
    conversationId: conversation._id,
    contactId: conversation.contactId,
    messageId,
    sentId: sent.messageId,
    itemId: item._id,
    apiKeyId,
    uploadId: ofPerson.uploadId,
    keyUploadId: ofKey.uploadId,
    storageId,
    inviteId,
    inviteToken: token,
    jobId,
  };
}

async function addTwin(app: App, accountId: Id<"accounts">, contactId: Id<"contacts">, mark: string) {
  return await app.backend.run(async (ctx) => {
    const twinId = await ctx.db.insert("contacts", { accountId, profileName: mark });
    const [firstId, secondId] = contactId < twinId ? [contactId, twinId] : [twinId, contactId];
    const duplicateId = await ctx.db.insert("contactDuplicates", {
      ...{ accountId, firstId, secondId, suggestedAt: Date.now() },
      reason: "same_sender",
      state: "open",
    });
    return { twinId, duplicateId };
  });
}

/** Takes every row of the world away; its ids stay what they were, ids of something. */
export async function removeWorld(app: App, world: World): Promise<void> {
  const { accountId, storageId, phone: _phone, colleague: _colleague, inviteToken: _token, ...rows } = world;
  await app.backend.run(async (ctx) => {
    const members = await ctx.db
      .query("accountMembers")
      .withIndex("by_account_user", (q) => q.eq("accountId", accountId))
      .collect();
    for (const { _id } of members) await ctx.db.delete(_id);
    for (const id of Object.values(rows)) await ctx.db.delete(id);
    await ctx.db.delete(accountId);
    await ctx.storage.delete(storageId);
  });
}

/** Keys of the account that nobody may come in with, or not far. */
export async function addWeakKeys(app: App, { accountId }: World) {
  const scopes = ALL_SCOPES;
  const expired = await app.addKey(accountId, { scopes, expiresAt: Date.now() + 1000 });
  await app.advance(1001);
  const revoked = await app.addKey(accountId, { scopes });
  await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: revoked.id });
  const unscoped = await app.addKey(accountId, { scopes });
  const narrowed = await app.addKey(accountId, { scopes });
  await app.backend.run(async (ctx) => {
    await ctx.db.patch(unscoped.id, { scopes: [] });
    await ctx.db.patch(narrowed.id, { tools: ["ping"] });
  });
  return { expired: expired.id, revoked: revoked.id, unscoped: unscoped.id, narrowed: narrowed.id };
}

/** Somebody who was a member, and the key that they made then. */
export async function removeMember(app: App, { accountId }: World, userId: string, owner: string) {
  await app.join(accountId, userId);
  const key = await app.user(userId).action(api.keys.create, { accountId, name: "old", scopes: ALL_SCOPES });
  await app.user(owner).mutation(api.members.remove, { accountId, userId });
  return key.id;
}
