import type { Id } from "../../convex/_generated/dataModel";

/** Where in the inbox somebody is: nothing chosen, an account, or a conversation of an account. */
export interface InboxPlace {
  readonly account?: Id<"accounts"> | undefined;
  readonly conversation?: Id<"conversations"> | undefined;
}

const ROOT = "/dashboard";

/** Ids of the backend are letters and digits; anything else in an address is somebody's typing error. */
const ID = /^[a-z0-9]{1,64}$/;

export function inboxPath({ account, conversation }: InboxPlace): string {
  return [ROOT, account, account && conversation].filter((part) => part !== undefined).join("/");
}

/**
 * Reads an address of the inbox; null when it is none. An id that is well formed may still name nothing: the backend
 * checks every id that it is given.
 */
export function parseInboxPath(pathname: string): InboxPlace | null {
  const [empty, root, account, conversation, ...rest] = pathname.replace(/\/$/, "").split("/");
  if (empty !== "" || `/${root}` !== ROOT || rest.length > 0) return null;
  if ([account, conversation].some((part) => part !== undefined && !ID.test(part))) return null;
  return {
    account: account as Id<"accounts"> | undefined,
    conversation: conversation as Id<"conversations"> | undefined,
  };
}
