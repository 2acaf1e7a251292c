import { createHmac, randomBytes } from "node:crypto";
import { DAY_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { equalInConstantTime } from "../server/constant-time";
import { mutateAs, queryAs } from "../server/convex";
import { serverEnv } from "../server/env";

/** A session of a client of 2025, which is nothing but a name under which it subscribes and listens. */
export type Session = {
  id: string;
  expiresAt: number;
  /** Whether the client can put a question to a person, as it said when the session began. */
  elicits: boolean;
};

/** A working day and a night; after that a client begins anew, which costs it one request. */
const LIFETIME_MS = DAY_MS;

const ID_BYTES = 16;

/** Capitals stand in no number of base 36: this one says that the client can put a question to a person. */
const ELICITS = "E";

const FORM = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11}E?)\.([A-Za-z0-9_-]{43})$/;

/**
 * A new session id. It is signed for its holder, so that nothing has to be stored for the many clients that open a
 * session for each conversation and never subscribe to anything.
 */
export function issueSession({ principal }: Caller, elicits: boolean): string {
  const id = randomBytes(ID_BYTES).toString("base64url");
  const end = (Date.now() + LIFETIME_MS).toString(36) + (elicits ? ELICITS : "");
  return `${id}.${end}.${signature(principal, id, end)}`;
}

/** The session that a client names, or null for one that is not this holder's, is over, or was never issued. */
export async function findSession(caller: Caller, text: string): Promise<Session | null> {
  const [, id = "", end = "", signed = ""] = FORM.exec(text) ?? [];
  if (!equalInConstantTime(signed, signature(caller.principal, id, end))) return null;
  const expiresAt = Number.parseInt(end.replace(ELICITS, ""), 36);
  if (expiresAt <= Date.now()) return null;
  const { ended } = await queryAs(caller.identity, api.mcpSessions.read, { sessionId: id });
  return ended ? null : { id, expiresAt, elicits: end.endsWith(ELICITS) };
}

/** Ends the session in every process. */
export async function endSession({ identity }: Caller, { id, expiresAt }: Session): Promise<void> {
  await mutateAs(identity, api.mcpSessions.end, { sessionId: id, expiresAt });
}

/** The label keeps these signatures apart from everything else that the secret signs. */
function signature(principal: string, id: string, end: string): string {
  const key = createHmac("sha256", serverEnv().BETTER_AUTH_SECRET).update("pons mcp session v1").digest();
  return createHmac("sha256", key)
    .update(JSON.stringify([principal, id, end]))
    .digest("base64url");
}
