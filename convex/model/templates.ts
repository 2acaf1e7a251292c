import { defined } from "#shared/defined";
import { rankTemplates, type TemplateHint } from "#shared/domain/template-rank";
import { nextTemplateState, type TemplateState, templateEventOf } from "#shared/domain/template-state";
import { HOUR_MS } from "#shared/time";
import { isBuiltToSend } from "#shared/whatsapp/template-summary";
import type { WebhookEvent } from "#shared/whatsapp/webhook-events-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { appendEvent } from "./events";
import { templateDefinition, templateLanguage } from "./templateRow";
import { requestTemplateSync } from "./templateSync";

/** The template of this account, name and language in any state, or null. `en-US` finds `en_US`. */
export async function findTemplate(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  name: string,
  language: string,
): Promise<Doc<"templates"> | null> {
  return await ctx.db
    .query("templates")
    .withIndex("by_account_name_language", (q) =>
      q.eq("accountId", accountId).eq("name", name).eq("language", templateLanguage(language)),
    )
    .unique();
}

/** A template that could be sent instead, as a refusal offers it. */
export interface TemplateChoice {
  name: string;
  language: string;
  category: string;
  paramCount: number;
}

/** Choices that a refusal offers: enough to find the right one, few enough to read. */
const CHOICES_MAX = 5;
/** Rows that each way of looking for candidates reads. */
const CANDIDATE_ROWS_MAX = 50;

/** The usable templates of an account that somebody most likely meant, best first (`shared/domain/template-rank`). */
export async function rankUsable(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  hint: TemplateHint,
): Promise<TemplateChoice[]> {
  const candidates = await findCandidates(ctx, accountId, hint.name ?? "");
  return rankTemplates(candidates, hint)
    .slice(0, CHOICES_MAX)
    .map(({ name, language, category, paramCount }) => ({ name, language, category, paramCount }));
}

/** An account may have thousands of templates, so only those near the name and those with its words are compared. */
async function findCandidates(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  name: string,
): Promise<Doc<"templates">[]> {
  const [after, before, alike] = await Promise.all([
    ctx.db
      .query("templates")
      .withIndex("by_account_usable_name", (q) =>
        q.eq("accountId", accountId).eq("usable", true).gte("name", name),
      )
      .take(CANDIDATE_ROWS_MAX),
    ctx.db
      .query("templates")
      .withIndex("by_account_usable_name", (q) =>
        q.eq("accountId", accountId).eq("usable", true).lt("name", name),
      )
      .order("desc")
      .take(CANDIDATE_ROWS_MAX),
    name.trim() === ""
      ? []
      : ctx.db
          .query("templates")
          .withSearchIndex("by_text", (q) =>
            q.search("searchText", name.replaceAll("_", " ")).eq("accountId", accountId).eq("usable", true),
          )
          .take(CANDIDATE_ROWS_MAX),
  ]);
  return [...new Map([...after, ...before, ...alike].map((row) => [row._id, row])).values()];
}

export type TemplateEvent = Extract<
  WebhookEvent,
  { type: "templateStatus" | "templateQuality" | "templateCategory" | "templateText" }
>;

/**
 * Applies a template event of a webhook to accounts that share the templates of one business account, because such
 * events name no number. `at` is Meta's time of it (ms), if it was told; an event older than one of its kind that was
 * applied changes nothing. A template that is not known yet, and one whose text changed, are read from the list. Applying an
 * event again changes nothing.
 */
export async function applyTemplateEvent(
  ctx: MutationCtx,
  accountIds: readonly Id<"accounts">[],
  event: TemplateEvent,
  now: number,
  at: number = now,
): Promise<void> {
  for (const accountId of accountIds) {
    const row = await findMeant(ctx, accountId, event);
    if (row === null || needsReading(event)) await requestTemplateSync(ctx, accountId, now);
    if (row === null || at < (row.toldAt?.[event.type] ?? 0)) continue;
    const toldAt = { ...row.toldAt, [event.type]: at };
    await ctx.db.patch(row._id, { ...changeBy(row, event, at), toldAt, changedAt: now });
    await tellChange(ctx, row, event, at);
  }
}

async function tellChange(
  ctx: MutationCtx,
  before: Doc<"templates">,
  event: TemplateEvent,
  at: number,
): Promise<void> {
  const row = await ctx.db.get(before._id);
  if (row === null) return;
  const { accountId, name, language, category, status, state, usable } = row;
  const { quality, correctCategory, rejectedReason, pausedUntil } = row;
  await appendEvent(ctx, {
    accountId,
    type: "template.updated",
    dedupeKey: [row._id, at, JSON.stringify(event)].join(":"),
    occurredAt: at,
    payload: {
      change: event.type,
      template: {
        ...{ name, language, category, status, state, usable },
        ...defined({ quality, correctCategory, rejectedReason, pausedUntil }),
      },
    },
  });
}

/** Whether the event tells only that something changed, or in a word that only the list can explain. */
function needsReading(event: TemplateEvent): boolean {
  if (event.type === "templateText") return true;
  return event.type === "templateStatus" && templateEventOf(event.status) === null;
}

async function findMeant(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  { templateId, name, language }: TemplateEvent,
): Promise<Doc<"templates"> | null> {
  const byId =
    templateId === undefined
      ? null
      : await ctx.db
          .query("templates")
          .withIndex("by_account_meta_id", (q) =>
            q.eq("accountId", accountId).eq("metaTemplateId", templateId),
          )
          .first();
  if (byId !== null) return byId;
  return name === undefined || language === undefined
    ? null
    : await findTemplate(ctx, accountId, name, language);
}

/** What an event changes; undefined removes a field. */
type Change = Partial<Pick<Doc<"templates">, "status" | "state" | "usable" | "category" | "quality">> & {
  [Field in "correctCategory" | "rejectedReason" | "detail" | "pausedUntil"]?:
    | Doc<"templates">[Field]
    | undefined;
};

function changeBy(row: Doc<"templates">, event: TemplateEvent, at: number): Change {
  switch (event.type) {
    case "templateStatus":
      return statusChange(row, event, at);
    case "templateQuality":
      return { quality: event.quality };
    case "templateCategory":
      // With a right category beside it the change is only announced.
      return event.correct === undefined
        ? { category: event.category ?? row.category, correctCategory: undefined }
        : { correctCategory: event.correct };
    case "templateText":
      return {};
    default:
      return event satisfies never;
  }
}

/** Meta's pauses: 3 hours, then 6; the third disables (Meta: "Template pausing"). */
const PAUSE_MS: ReadonlyMap<string, number> = new Map([
  ["FIRST_PAUSE", 3 * HOUR_MS],
  ["SECOND_PAUSE", 6 * HOUR_MS],
]);

function statusChange(
  row: Doc<"templates">,
  event: Extract<TemplateEvent, { type: "templateStatus" }>,
  at: number,
): Change {
  const told = {
    detail: event.detail,
    ...(event.category !== undefined && { category: event.category }),
  };
  const known = templateEventOf(event.status);
  const state = known === null ? unknownUnlessGone(row.state) : nextTemplateState(row.state, known);
  // A warning, or something older than what is known: the template stays as it is.
  if (state === null) return told;
  const pauseMs = state === "paused" && event.pause !== undefined ? PAUSE_MS.get(event.pause) : undefined;
  return {
    ...told,
    state,
    status: known === "REINSTATED" || known === "UNARCHIVED" ? "APPROVED" : event.status.toUpperCase(),
    usable: state === "approved" && isBuiltToSend(templateDefinition(row)),
    rejectedReason: state === "rejected" ? event.reason : undefined,
    pausedUntil: pauseMs === undefined ? undefined : at + pauseMs,
  };
}

function unknownUnlessGone(state: TemplateState): TemplateState | null {
  return state === "deleted" || state === "pending_deletion" ? null : "unknown";
}
