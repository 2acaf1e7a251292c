import type { Doc } from "../_generated/dataModel";

/** Who asks for a send: a signed-in member, or the holder of an API key. */
export type Principal = { kind: "user"; userId: string } | { kind: "key"; key: Doc<"apiKeys"> };

/** The principal as one word, for idempotency, counters and the audit log. */
export function principalKey(principal: Principal): string {
  return principal.kind === "user" ? `user:${principal.userId}` : `key:${principal.key._id}`;
}

/** The principal as the sender of a message. */
export function senderOf(principal: Principal): Doc<"messages">["sender"] {
  if (principal.kind === "user") return { kind: "user", id: principal.userId };
  return { kind: "key", id: principal.key._id, name: principal.key.name };
}
