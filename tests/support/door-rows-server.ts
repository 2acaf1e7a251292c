import { START } from "./convex-app";
import type { DoorRows } from "./door-rows";
import type { World } from "./tenant-world";

const user = { model: "user" as const, where: [] };
const data = { id: "u1", name: "Eve", email: "e@x.test", emailVerified: false, createdAt: 1, updatedAt: 1 };
const counters = { model: "rateLimit" as const, where: [] };
const ofKey = ({ apiKeyId }: World) => ({ apiKeyId });

/** Functions of the Next server, those that are open, and invitations, which belong to both. */
export const SERVER_ROWS: DoorRows<
  "authStore" | "callers" | "health" | "instance" | "invites" | "mcpCalls" | "media" | "webhook"
> = {
  authStore: {
    find: () => user,
    count: () => user,
    create: () => ({ model: "user", data }),
    updateOne: () => ({ ...user, set: { name: "Eve" } }),
    updateMany: () => ({ ...user, set: { name: "Eve" } }),
    deleteMany: () => user,
    consumeOne: () => user,
    incrementOne: () => ({ ...counters, increment: { count: 1 }, set: {} }),
    admitted: ({ colleague }) => ({ userId: colleague }),
  },
  callers: { resolveKey: () => ({ keyHash: "h", pepperId: "p1" }), touch: ofKey },
  health: { check: () => ({}) },
  instance: { status: () => ({}), claim: () => ({ userId: "eve" }) },
  invites: {
    create: ({ accountId }) => ({ accountId, email: "new@x.test", role: "member" }),
    list: ({ accountId }) => ({ accountId }),
    revoke: ({ accountId, inviteId }) => ({ accountId, inviteId }),
    accept: ({ inviteToken }) => ({ token: inviteToken }),
    read: ({ inviteToken }) => ({ token: inviteToken }),
    acceptFor: ({ inviteToken }) => ({ token: inviteToken, userId: "eve" }),
  },
  mcpCalls: { take: ofKey, record: () => ({ calls: [] }) },
  media: {
    retry: ({ accountId, messageId }) => ({ accountId, messageId }),
    open: ({ messageId }) => ({
      messageId,
      principal: "user:ana",
      expiresAt: START,
      signature: "s",
      now: START,
    }),
  },
  // The signature is the credential of a webhook, so the door itself is open.
  webhook: {
    ingestWebhook: () => ({ body: new ArrayBuffer(2), signature: null }),
    isVerifyToken: () => ({ token: "t" }),
  },
};
