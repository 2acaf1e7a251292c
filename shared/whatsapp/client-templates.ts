import { defined } from "../defined";
import type { GraphClient, ReadResult } from "./client";
import { mapResult } from "./client-accounts";
import { isSuccess } from "./graph-answers";
import { asObject, getId, getWord, type JsonObject } from "./json";
import { readTemplate, type TemplateDefinition } from "./template-definition";

/** Templates of one account; Meta allows 6,000 for verified businesses, 250 for others. */
const TEMPLATES_MAX = 10_000;
/** Rows of a page: few calls, and below the size at which Meta answers "please reduce the amount of data". */
const PAGE_ROWS = "100";
const TEMPLATE_FIELDS =
  "id,name,status,category,sub_category,language,components,quality_score,rejected_reason,previous_category,correct_category,parameter_format";

export interface TemplatePage {
  readonly templates: readonly { readonly definition: TemplateDefinition; readonly row: JsonObject }[];
  /** `cut`: reading stopped before the end of the list, so what is missing from it may still exist. */
  readonly rest: "more" | "whole" | "cut";
}

/**
 * The templates of a business account page by page, read and as Meta wrote them. Ends after the last page, after an
 * error, and after a page marked `cut`: a cursor that leads in a circle, or more rows than an account can have.
 */
export async function* templatePages(
  client: GraphClient,
  wabaId: string,
): AsyncGenerator<ReadResult<TemplatePage>> {
  const path = `/${encodeURIComponent(wabaId)}/message_templates`;
  const cursors = new Set<string>();
  let rowCount = 0;
  for (let after: string | undefined; ; ) {
    const page = await client.page(path, { fields: TEMPLATE_FIELDS, limit: PAGE_ROWS }, after);
    if (!page.ok) return yield page;
    const { rows, next } = page.value;
    rowCount += rows.length;
    const circle = next !== undefined && (cursors.has(next) || rowCount >= TEMPLATES_MAX);
    const rest = next === undefined ? "whole" : circle ? "cut" : "more";
    yield { ...page, value: { templates: readRows(rows), rest } };
    if (next === undefined || circle) return;
    cursors.add(next);
    after = next;
  }
}

function readRows(rows: readonly unknown[]): TemplatePage["templates"] {
  return rows.flatMap((value) => {
    const row = asObject(value);
    const definition = readTemplate(row);
    return row === undefined || definition === null ? [] : [{ definition, row }];
  });
}

export interface NewTemplate {
  /** Lower-case letters, digits and underscores. */
  readonly name: string;
  readonly language: string;
  readonly category: "MARKETING" | "UTILITY" | "AUTHENTICATION";
  readonly parameterFormat?: "NAMED" | "POSITIONAL";
  readonly components: readonly object[];
}

/** Asks Meta to review a template. It may change the category at once. */
export async function createTemplate(
  client: GraphClient,
  wabaId: string,
  template: NewTemplate,
): Promise<ReadResult<{ id: string; status?: string; category?: string }>> {
  const { name, language, category, components, parameterFormat } = template;
  const answer = await client.change("POST", `/${encodeURIComponent(wabaId)}/message_templates`, {
    name,
    language,
    category,
    components,
    ...defined({ parameter_format: parameterFormat }),
  });
  return mapResult(answer, (json: JsonObject) => {
    const id = getId(json, "id");
    if (id === undefined) return undefined;
    return { id, ...defined({ status: getWord(json, "status"), category: getWord(json, "category") }) };
  });
}

/** Deletes a template in one language, or by its name alone in all. The name stays blocked for 30 days. */
export async function deleteTemplate(
  client: GraphClient,
  wabaId: string,
  template: { readonly name: string; readonly id?: string },
): Promise<ReadResult<true>> {
  const path = `/${encodeURIComponent(wabaId)}/message_templates`;
  const query = { name: template.name, ...defined({ hsm_id: template.id }) };
  return mapResult(await client.change("DELETE", path, undefined, query), isSuccess);
}
