import { v } from "convex/values";
import { defined } from "#shared/defined";
import { refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { templateState } from "../tables/templates";
import { fail } from "./errors";
import type { DoorRefusal } from "./grants";
import { boundedRows } from "./page";
import { templateLanguage } from "./templateRow";
import { findTemplate, rankUsable } from "./templates";

/** A template as doors return it. */
export const templateView = v.object({
  name: v.string(),
  language: v.string(),
  category: v.string(),
  state: templateState,
  /** Meta's word; differs from the state where this version does not know it. */
  status: v.string(),
  usable: v.boolean(),
  preview: v.string(),
  paramCount: v.number(),
  /** JSON Schema of the values that fill the template, as JSON text. */
  paramsSchema: v.string(),
  quality: v.optional(v.string()),
  correctCategory: v.optional(v.string()),
  rejectedReason: v.optional(v.string()),
  detail: v.optional(v.string()),
  pausedUntil: v.optional(v.number()),
  syncedAt: v.number(),
});

export function viewTemplate(row: Doc<"templates">) {
  const { name, language, category, state, status, usable, preview, paramCount, paramsSchema } = row;
  const { quality, correctCategory, rejectedReason, detail, pausedUntil, syncedAt } = row;
  return {
    name,
    language,
    category,
    state,
    status,
    usable,
    preview,
    paramCount,
    paramsSchema,
    syncedAt,
    ...defined({ quality, correctCategory, rejectedReason, detail, pausedUntil }),
  };
}

/** Filters of a list of templates; words of Meta's in any case, `state` is this version's own. */
export interface TemplateFilter {
  status?: string;
  category?: string;
  language?: string;
  query?: string;
}

export const templateFilter = {
  status: v.optional(v.string()),
  category: v.optional(v.string()),
  language: v.optional(v.string()),
  query: v.optional(v.string()),
};

/** Rows that one page looks at when filters leave most of them out; the cursor goes on from there. */
const SCAN_ROWS_MAX = 200;
/** What a search returns at most: better words find more than a second page of bad matches. */
const FOUND_ROWS_MAX = 50;

/**
 * One page of the templates of an account by name and language, or the best matches of `query`. A page may have fewer
 * rows than asked for, even none, while `nextCursor` says that there are more. Throws `invalid_request` for a cursor
 * that is none of ours.
 */
export async function listTemplates(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  args: TemplateFilter & { limit?: number; cursor?: string },
) {
  const limit = boundedRows(args.limit);
  const query = args.query?.trim() ?? "";
  if (query !== "") {
    const found = await searchTemplates(ctx, accountId, query);
    const matches = found.filter((row) => matchesFilter(row, args)).slice(0, limit);
    return { templates: matches.map(viewTemplate), nextCursor: null };
  }
  const rows = await templatesAfter(ctx, accountId, args.cursor, SCAN_ROWS_MAX);
  const page: Doc<"templates">[] = [];
  for (const [index, row] of rows.entries()) {
    if (matchesFilter(row, args)) page.push(row);
    if (page.length === limit && index + 1 < rows.length) {
      return { templates: page.map(viewTemplate), nextCursor: formatTemplateCursor(row) };
    }
  }
  const last = rows.length === SCAN_ROWS_MAX ? rows.at(-1) : undefined;
  return { templates: page.map(viewTemplate), nextCursor: last ? formatTemplateCursor(last) : null };
}

async function searchTemplates(ctx: QueryCtx, accountId: Id<"accounts">, query: string) {
  return await ctx.db
    .query("templates")
    .withSearchIndex("by_text", (q) =>
      q.search("searchText", query.replaceAll("_", " ")).eq("accountId", accountId),
    )
    .take(FOUND_ROWS_MAX);
}

function matchesFilter(row: Doc<"templates">, { status, category, language }: TemplateFilter): boolean {
  const same = (word: string, wanted: string | undefined) =>
    wanted === undefined || word.toLowerCase() === wanted.trim().toLowerCase();
  return (
    same(row.status, status) &&
    same(row.category, category) &&
    (language === undefined || same(row.language, templateLanguage(language)))
  );
}

async function templatesAfter(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  cursor: string | undefined,
  rows: number,
): Promise<Doc<"templates">[]> {
  if (cursor === undefined) {
    return await ctx.db
      .query("templates")
      .withIndex("by_account_name_language", (q) => q.eq("accountId", accountId))
      .take(rows);
  }
  const place = parseTemplateCursor(cursor);
  if (place === null) fail("invalid_request", { field: "cursor", say: "This cursor is not one of ours." });
  const { name, language } = place;
  const sameName = await ctx.db
    .query("templates")
    .withIndex("by_account_name_language", (q) =>
      q.eq("accountId", accountId).eq("name", name).gt("language", language),
    )
    .take(rows);
  if (sameName.length === rows) return sameName;
  const later = await ctx.db
    .query("templates")
    .withIndex("by_account_name_language", (q) => q.eq("accountId", accountId).gt("name", name))
    .take(rows - sameName.length);
  return [...sameName, ...later];
}

/** Names and languages of templates have no blank (Meta: lower-case letters, digits, underscores). */
function formatTemplateCursor({ name, language }: { name: string; language: string }): string {
  return `${language} ${name}`;
}

function parseTemplateCursor(text: string): { name: string; language: string } | null {
  const [, language, name] = /^(\S{1,20}) (.{1,512})$/.exec(text) ?? [];
  return language === undefined || name === undefined ? null : { name, language };
}

/**
 * The template that a send names if it may be sent now, or the refusal that tells which ones could be sent instead:
 * `template_unknown`, or `template_paused` for one that WhatsApp holds back at the moment.
 */
export async function requireUsableTemplate(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  hint: { name: string; language: string },
): Promise<{ refused?: never; template: Doc<"templates"> } | DoorRefusal> {
  const template = await findTemplate(ctx, accountId, hint.name, hint.language);
  if (template?.usable === true) return { template };
  const held = template?.state === "paused" || template?.state === "disabled";
  return await refuseTemplate(ctx, accountId, hint, held ? "template_paused" : "template_unknown");
}

/** A refusal about a template with the usable ones that somebody most likely meant, best first. */
export async function refuseTemplate(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  hint: { name: string; language: string },
  reason: "template_unknown" | "template_params" | "template_paused",
  say?: string,
): Promise<DoorRefusal> {
  const templates = await rankUsable(ctx, accountId, hint);
  const [best] = templates;
  const nextStep =
    best === undefined
      ? "The account has no approved template. Somebody must create one in WhatsApp Manager."
      : undefined;
  return { ...refusal(reason, { ...defined({ say, nextStep }) }), templates };
}
