import type { EventType } from "#shared/domain/events";
import type { QueryCtx } from "../_generated/server";
import { viewNumber } from "./callerReads";
import { eventsAfter, newestEvents } from "./events";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { boundedRows } from "./page";

/** Events that one read looks at; those of other types are passed over. */
const EVENTS_READ_MAX = 60;

export interface EventsRequest {
  from?: string;
  /** Number of the last event that was read (`seq` of the page before); without it, the latest. */
  after?: number;
  types?: readonly EventType[];
  limit?: number;
}

/**
 * What happened in the account of a number, as the texts that webhooks carry, in order. Whoever always goes on from
 * `seq` misses nothing and gets nothing twice. A page may be empty while `more` says that there is more.
 */
export async function readEvents(ctx: QueryCtx, caller: Caller, args: EventsRequest) {
  const granted = await grantNumber(ctx, caller, "read", args.from);
  if (granted.refused) return granted;
  const { account } = granted;
  const { after, types } = args;
  const limit = boundedRows(args.limit);
  const isWanted = (type: EventType) => types === undefined || types.includes(type);
  if (after === undefined) {
    const newest = await newestEvents(ctx, account._id, EVENTS_READ_MAX);
    const wanted = newest.filter(({ type }) => isWanted(type)).slice(0, limit);
    return {
      account: viewNumber(account),
      events: wanted.reverse().map(({ body }) => body),
      seq: newest[0]?.seq ?? 0,
      more: false,
    };
  }
  const events: string[] = [];
  let seq = Math.max(0, after);
  for (const { type, body, seq: number } of await eventsAfter(ctx, account._id, seq, EVENTS_READ_MAX)) {
    // A page ends before the event that would be one too many, and the next one begins with it.
    if (isWanted(type) && events.length === limit) break;
    if (isWanted(type)) events.push(body);
    seq = number;
  }
  const more = (await eventsAfter(ctx, account._id, seq, 1)).length > 0;
  return { account: viewNumber(account), events, seq, more };
}
