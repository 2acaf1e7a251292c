import { createHmac } from "node:crypto";
import * as z from "zod";
import { AppError } from "../server/app-error";
import { equalInConstantTime } from "../server/constant-time";
import { serverEnv } from "../server/env";

/** Which list a cursor belongs to, and whose it is: a cursor of one caller or list means nothing to another. */
export type CursorScope = { list: string; principal: string };

const SEPARATOR = ".";

const payload = z.tuple([z.string(), z.string(), z.string()]);

/** Wraps the backend's cursor, so that clients can neither read meaning into it nor make one up. */
export function sealCursor(scope: CursorScope, cursor: string): string {
  const body = Buffer.from(JSON.stringify([scope.list, scope.principal, cursor])).toString("base64url");
  return body + SEPARATOR + signature(body);
}

/** The backend's cursor. Throws `invalid_request` for anything that was not sealed for this scope. */
export function openCursor(scope: CursorScope, sealed: string): string {
  const [body = "", signed = ""] = sealed.split(SEPARATOR);
  if (!equalInConstantTime(signed, signature(body))) throw invalidCursor();
  const [list, principal, cursor] = payload.parse(JSON.parse(Buffer.from(body, "base64url").toString()));
  if (list !== scope.list || principal !== scope.principal) throw invalidCursor();
  return cursor;
}

const invalidCursor = (): AppError =>
  AppError.of("invalid_request", {
    say: "The cursor is not one that this list gave to this key. Start without one.",
  });

/** The label keeps these signatures apart from everything else that the secret signs. */
function signature(body: string): string {
  const key = createHmac("sha256", serverEnv().BETTER_AUTH_SECRET).update("pons mcp cursor v1").digest();
  return createHmac("sha256", key).update(body).digest("base64url");
}
