import type { GenericEndpointContext } from "better-auth";
import { APIError } from "better-auth/api";
import { api } from "../../../convex/_generated/api";
import { AppError } from "../app-error";
import { equalInConstantTime } from "../constant-time";
import { mutateAs, queryAs } from "../convex";
import { serverEnv } from "../env";
import type { Identity } from "../identity";
import { isInstanceClaimed } from "../instance";
import { isInviteToken } from "../invitation";
import { noteOutage } from "./outage";

/**
 * Who may have an account. While nobody owns the deployment, whoever knows the setup token may sign up and becomes
 * its owner; afterwards only invited people may. An account alone opens nothing: a session is given only to somebody
 * who is admitted, which the backend knows, so a sign-up that was interrupted or lost a race leaves no way in.
 */
export const SETUP_TOKEN_HEADER = "x-pons-setup-token";
/** The token of an invitation, from the link that somebody was given. */
const INVITE_HEADER = "x-pons-invite";

const SERVICE: Identity = { use: "service" };

const SIGN_UP_PATH = "/sign-up/email";

/** A sign-up takes less than a second; an account this old without admission was left behind by a broken one. */
const LEFTOVER_AGE_MS = 60 * 1000;

type Refusal = { error: "setup_token_required" | "invite_required"; errorDescription: string };

const SETUP_TOKEN_REQUIRED: Refusal = {
  error: "setup_token_required",
  errorDescription: "The first account of this deployment needs its setup token.",
};
const INVITE_REQUIRED: Refusal = {
  error: "invite_required",
  errorDescription: "This deployment has an owner already. Ask for an invitation.",
};

/**
 * Why a new account may not be made now for this address, or null when it may. Every invitation that does not fit gets
 * the answer of a missing one.
 */
export async function refusalOfNewAccount(
  headers: Headers | undefined,
  email: unknown,
): Promise<Refusal | null> {
  if (await isInstanceClaimed().catch(noteOutage)) {
    return (await isInvited(headers, email)) ? null : INVITE_REQUIRED;
  }
  return hasSetupToken(headers) ? null : SETUP_TOKEN_REQUIRED;
}

/**
 * Runs before anything else of a sign-up, so that a stranger learns nothing about which addresses have an account.
 * Makes room for a person whose first sign-up was cut off half-way.
 */
export async function beforeSignUp(ctx: GenericEndpointContext): Promise<void> {
  if (ctx.path !== SIGN_UP_PATH) return;
  const email: unknown = ctx.body?.email;
  const refusal = await refusalOfNewAccount(ctx.headers, email);
  if (refusal !== null) throw forbidden(refusal);
  if (typeof email !== "string") return;
  const found = await ctx.context.internalAdapter.findUserByEmail(email.toLowerCase());
  if (!found || Date.now() - found.user.createdAt.getTime() < LEFTOVER_AGE_MS) return;
  if (!(await isAdmitted(found.user.id))) await ctx.context.internalAdapter.deleteUser(found.user.id);
}

/**
 * Runs before a session is created. An invitation is accepted here, and the first person with the setup token becomes
 * the owner, each by one mutation that only one can win; a sign-up that loses takes its account away again.
 */
export async function requireAdmission(userId: string, ctx: GenericEndpointContext | null): Promise<void> {
  const isClaimed = await isInstanceClaimed().catch(noteOutage);
  if (isClaimed && (await acceptsInvite(userId, ctx?.headers))) return;
  if (await isAdmitted(userId)) return;
  if (!isClaimed && hasSetupToken(ctx?.headers) && (await becomesOwner(userId))) return;
  if (ctx?.path === SIGN_UP_PATH) await ctx.context.internalAdapter.deleteUser(userId);
  throw forbidden(INVITE_REQUIRED);
}

async function isAdmitted(userId: string): Promise<boolean> {
  return await queryAs(SERVICE, api.authStore.admitted, { userId }).catch(noteOutage);
}

async function becomesOwner(userId: string): Promise<boolean> {
  try {
    await mutateAs(SERVICE, api.instance.claim, { userId });
    return true;
  } catch (error) {
    if (error instanceof AppError && error.data.code === "already_claimed") return false;
    return noteOutage(error);
  }
}

/** Whether the request brings an open invitation of this very address. */
async function isInvited(headers: Headers | undefined, email: unknown): Promise<boolean> {
  const token = inviteOf(headers);
  if (token === null || typeof email !== "string") return false;
  const invite = await queryAs(SERVICE, api.invites.read, { token }).catch(noteOutage);
  if (invite?.state !== "open") return false;
  return invite.email === email.trim().toLowerCase() && invite.expiresAt > Date.now();
}

/** Accepts the invitation that the request brings, also for somebody who is here already and signs in with it. */
async function acceptsInvite(userId: string, headers: Headers | undefined): Promise<boolean> {
  const token = inviteOf(headers);
  if (token === null) return false;
  try {
    await mutateAs(SERVICE, api.invites.acceptFor, { token, userId });
    return true;
  } catch (error) {
    if (error instanceof AppError && error.data.code === "invite_invalid") return false;
    return noteOutage(error);
  }
}

function inviteOf(headers: Headers | undefined): string | null {
  const token = headers?.get(INVITE_HEADER) ?? "";
  return isInviteToken(token) ? token : null;
}

function hasSetupToken(headers: Headers | undefined): boolean {
  const given = headers?.get(SETUP_TOKEN_HEADER);
  const expected = serverEnv().SETUP_TOKEN;
  return typeof given === "string" && expected !== undefined && equalInConstantTime(given, expected);
}

const forbidden = ({ error, errorDescription }: Refusal): APIError =>
  new APIError("FORBIDDEN", { code: error, message: errorDescription });
