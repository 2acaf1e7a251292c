import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/** Who asks for a send: a signed-in member, or the holder of an API key. */
export type Principal =
  | { kind: "user"; userId: string; name?: string }
  | { kind: "key"; key: Doc<"apiKeys"> };

/** A signed-in person as the sender of messages, under the name that they gave themselves. */
export async function personAsPrincipal(ctx: QueryCtx, userId: string): Promise<Principal> {
  const person = await ctx.db
    .query("auth_user")
    .withIndex("ix_id", (q) => q.eq("id", userId))
    .unique();
  return { kind: "user", userId, ...(person !== null && { name: person.name }) };
}

/** The principal as one word, for idempotency, counters and the audit log. */
export function principalKey(principal: Principal): string {
  return principal.kind === "user" ? `user:${principal.userId}` : `key:${principal.key._id}`;
}

/** The principal as the sender of a message. */
export function senderOf(principal: Principal): Doc<"messages">["sender"] {
  if (principal.kind === "user") {
    const { userId, name } = principal;
    return { kind: "user", id: userId, ...(name !== undefined && { name }) };
  }
  return { kind: "key", id: principal.key._id, name: principal.key.name };
}
