import { defined } from "#shared/defined";
import type { EventSource } from "#shared/domain/events";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { appendEvent } from "./events";

/** What became different about an account, and how the fact is known again. */
export interface AccountChange {
  change: "state" | "sending" | "number" | "alert" | "token";
  /** Unique among the changes of the account and the same whenever the same fact is told. */
  key: string;
  /** Milliseconds, by the clock of the one who told us. */
  at: number;
  source: EventSource;
}

/** Appends to the account's stream how it stands after a change; no secret is part of it. */
export async function tellAccount(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  { change, key, at, source }: AccountChange,
): Promise<void> {
  const account = await ctx.db.get(accountId);
  if (account === null) return;
  const { name, phoneNumber, phoneNumberId, wabaId, state, sending, number } = account;
  const { tokenExpiresAt: expiresAt, dataAccessExpiresAt } = account;
  await appendEvent(ctx, {
    accountId,
    type: "account.updated",
    dedupeKey: `${change}:${key}`,
    occurredAt: at,
    source,
    payload: {
      change,
      account: {
        ...{ id: accountId, name, phoneNumber, phoneNumberId, wabaId, state },
        sending: { state: sending?.state ?? "active", ...defined({ reason: sending?.reason }) },
        ...defined({ number }),
        token: defined({ expiresAt, dataAccessExpiresAt }),
      },
    },
  });
}
