import type { Scope } from "../scopes";

/** What a person may be in an account, from the least to the most. */
export const ROLES = ["member", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

/**
 * Everything that a person can do in an account, and the roles that may. The only such table: doors name a row of it,
 * screens ask it what to show, and a verb that is not here cannot be done.
 */
const PERMISSIONS = {
  /** Conversations, messages, contacts, files and templates. */
  "inbox.read": ["member", "admin", "owner"],
  /** Seen, archived, assigned, labelled, noted: what changes the inbox but reaches no customer. */
  "inbox.write": ["member", "admin", "owner"],
  "messages.send": ["member", "admin", "owner"],
  "templates.manage": ["admin", "owner"],
  /** The customer's consent and who answers them, the machine or a person. */
  "consent.manage": ["member", "admin", "owner"],
  "members.read": ["member", "admin", "owner"],
  /** Invite, remove, and change the role of everybody but an owner. */
  "members.manage": ["admin", "owner"],
  /** Make somebody an owner, or take it away. */
  "owners.manage": ["owner"],
  /** Keys that one made oneself. */
  "keys.own": ["member", "admin", "owner"],
  "keys.manage": ["admin", "owner"],
  "targets.read": ["admin", "owner"],
  "targets.manage": ["admin", "owner"],
  /** Whether the number works, and what is in the way. */
  "account.read": ["member", "admin", "owner"],
  /** Name, tokens, secrets, subscription, pausing. */
  "account.manage": ["admin", "owner"],
  /** Take the number away from here, with or without its data. */
  "account.remove": ["owner"],
  "audit.read": ["admin", "owner"],
  "data.export": ["admin", "owner"],
  "data.erase": ["owner"],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether the role may do it. */
export function can(role: Role, permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return allowed.includes(role);
}

/** What a person must be allowed to do to hand it on to a key. */
const SCOPE_PERMISSION = {
  read: "inbox.read",
  "messages:read": "inbox.read",
  "conversations:read": "inbox.read",
  "templates:read": "inbox.read",
  write: "inbox.write",
  "messages:write": "inbox.write",
  send: "messages.send",
} as const satisfies Record<Scope, Permission>;

/** Whether somebody of this role may give a key this scope: nobody hands on what they may not do themselves. */
export function mayGrantScope(role: Role, scope: Scope): boolean {
  return can(role, SCOPE_PERMISSION[scope]);
}

/** Whether the role is that of the other person or above it. */
export function isAtLeast(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(other);
}
