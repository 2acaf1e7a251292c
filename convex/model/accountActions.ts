import type { ReadResult } from "#shared/whatsapp/client";
import { registerNumber, subscribeApp, unsubscribeApp } from "#shared/whatsapp/client-accounts";
import { internal } from "../_generated/api";
import type { Id } from "../_generated/dataModel";
import type { ActionCtx } from "../_generated/server";
import { type AccountLink, mintVerifyToken, SECRET_GRACE_DEFAULT_MS } from "./accountLink";
import { factsOf, proveOwnership, requireAnswer, requireSecret, tokenEnds } from "./accountSetup";
import { type Actor, ADMIN } from "./actor";
import { setting } from "./env";
import { fail } from "./errors";
import { graphClient } from "./graph";
import { openAccountSecret, sealAccountSecret } from "./secrets";

/** What is done to an account with Meta's help: ask for the link, do one thing outside, store what came of it. */
interface Task {
  actor: Actor;
  accountId: Id<"accounts">;
}

/** A six-digit two-step PIN (Meta: "Two-step verification"). */
const PIN_FORM = /^\d{6}$/;
/** Meta's limit of an address for webhooks of one account. */
const CALLBACK_CHARACTERS_MAX = 200;

/** Replaces the access token, after Meta has shown with the new one that it is for this very number. */
export async function rotateAccessToken(ctx: ActionCtx, task: Task, text: string): Promise<void> {
  const accessToken = requireSecret(text, "accessToken");
  const link = await openLink(ctx, task);
  const { number, token } = await proveOwnership(link, accessToken);
  await ctx.runMutation(internal.accountLink.storeToken, {
    ...task,
    accessTokenSealed: await sealAccountSecret(link, "accessToken", accessToken),
    number: factsOf(number),
    ...tokenEnds(token),
  });
}

/** Replaces the app secret; the one before, also the deployment's own, is accepted for the given time. */
export async function rotateAppSecret(
  ctx: ActionCtx,
  task: Task,
  text: string,
  graceMs: number = SECRET_GRACE_DEFAULT_MS,
): Promise<{ previousUntil: number | null }> {
  const appSecret = requireSecret(text, "appSecret");
  const link = await openLink(ctx, task);
  const ofDeployment = setting("FACEBOOK_APP_SECRET");
  const seal = async (secret: string) => await sealAccountSecret(link, "appSecret", secret);
  return await ctx.runMutation(internal.accountLink.storeAppSecret, {
    ...task,
    appSecretSealed: await seal(appSecret),
    graceMs,
    ...(!link.hasOwnSecret && ofDeployment !== undefined && { previousSealed: await seal(ofDeployment) }),
  });
}

/** A verify token for this account alone, shown this once. */
export async function rotateVerifyToken(ctx: ActionCtx, task: Task): Promise<{ verifyToken: string }> {
  const { token, hash } = await mintVerifyToken();
  await ctx.runMutation(internal.accountLink.storeVerifyToken, { ...task, hash });
  return { verifyToken: token };
}

/**
 * Lets the webhooks of the account come here. With a callback Meta sends them to that address instead of the app's;
 * it asks that address at once, so a verify token of the account is stored before.
 */
export async function subscribe(ctx: ActionCtx, task: Task, callbackUrl?: string): Promise<void> {
  const link = await openLink(ctx, task);
  if (callbackUrl === undefined) {
    requireAnswer(await subscribeApp(await clientOf(link), link.wabaId), "wabaId");
    return;
  }
  if (callbackUrl.length > CALLBACK_CHARACTERS_MAX || !URL.canParse(callbackUrl)) {
    fail("invalid_request", { field: "callbackUrl" });
  }
  const { verifyToken } = await rotateVerifyToken(ctx, task);
  requireAnswer(
    await subscribeApp(await clientOf(link), link.wabaId, { callbackUrl, verifyToken }),
    "wabaId",
  );
}

/** Makes the number usable with the Cloud API. The PIN becomes its two-step PIN, or must be the one that it has. */
export async function register(ctx: ActionCtx, task: Task, pin: string): Promise<void> {
  requirePin(pin);
  const link = await openLink(ctx, task);
  requireAnswer(await registerNumber(await clientOf(link), link.phoneNumberId, pin), "pin");
}

/** Throws `invalid_request` for what cannot be a two-step PIN. */
export function requirePin(pin: string): void {
  if (!PIN_FORM.test(pin)) fail("invalid_request", { field: "pin" });
}

/**
 * Takes the number away from here and keeps its data. The webhooks end too, unless another number of the same
 * WhatsApp Business account works here; a Meta that does not answer keeps nobody from leaving.
 */
export async function detach(ctx: ActionCtx, task: Task): Promise<{ unsubscribed: boolean }> {
  const link = await openLink(ctx, task);
  await ctx.runMutation(internal.accountLink.changeState, { ...task, event: "detach" });
  return { unsubscribed: await leaveMeta(link) };
}

/**
 * Brings a detached number back: Meta must still show it to the token, and its webhooks come here again. It stays
 * detached when Meta refuses.
 */
export async function reattach(ctx: ActionCtx, task: Task): Promise<void> {
  const link = await openLink(ctx, task);
  await ctx.runMutation(internal.accountLink.changeState, { ...task, event: "reattach" });
  try {
    await proveOwnership(link, await tokenOf(link));
    requireAnswer(await subscribeApp(await clientOf(link), link.wabaId), "wabaId");
  } catch (error) {
    await ctx.runMutation(internal.accountLink.changeState, { ...task, event: "detach" });
    throw error;
  }
  await ctx.runMutation(internal.accountLink.changeState, { ...task, event: "ready" });
}

/** Ends the account and everything in it. There is no way back; the data goes in the background. */
export async function remove(ctx: ActionCtx, task: Task): Promise<{ unsubscribed: boolean }> {
  const link = await openLink(ctx, task);
  await ctx.runMutation(internal.accountLink.changeState, { ...task, event: "delete" });
  return { unsubscribed: await leaveMeta(link) };
}

async function leaveMeta(link: AccountLink): Promise<boolean> {
  if (link.sharesWaba) return false;
  const token = await openAccountSecret(link, "accessToken", link.accessTokenSealed);
  if (token === null) return false;
  const answer: ReadResult<true> = await unsubscribeApp(graphClient(token), link.wabaId);
  return answer.ok;
}

async function openLink(ctx: ActionCtx, task: Task): Promise<AccountLink> {
  return await ctx.runQuery(internal.accountLink.open, { ...task, permission: "account.manage" });
}

async function tokenOf(link: AccountLink): Promise<string> {
  const token = await openAccountSecret(link, "accessToken", link.accessTokenSealed);
  return token ?? fail("whatsapp_auth", { field: "accessToken" });
}

async function clientOf(link: AccountLink) {
  return graphClient(await tokenOf(link));
}

/** The administrator's work on an account. */
export const byAdmin = (accountId: Id<"accounts">): Task => ({ actor: ADMIN, accountId });
