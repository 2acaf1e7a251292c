import { defined } from "../defined";
import type { GraphClient, ReadResult } from "./client";
import { mapResult } from "./client-accounts";
import { isSuccess } from "./graph-answers";
import { getId, getWord, type JsonObject } from "./json";
import { readTemplate, type TemplateDefinition } from "./template-definition";

/** Templates of one account; Meta allows 6,000 for verified businesses, 250 for others. */
const TEMPLATES_MAX = 10_000;
/** Rows of a page: few calls, and below the size at which Meta answers "please reduce the amount of data". */
const PAGE_ROWS = "100";
const TEMPLATE_FIELDS =
  "id,name,status,category,sub_category,language,components,quality_score,rejected_reason,previous_category,correct_category,parameter_format";

export interface TemplateList {
  readonly templates: readonly { readonly definition: TemplateDefinition; readonly row: unknown }[];
  /** False where the list could not be read to its end: what is missing from it may still exist. */
  readonly whole: boolean;
}

/** All templates of an account, read and as Meta wrote them. */
export async function listTemplates(client: GraphClient, wabaId: string): Promise<ReadResult<TemplateList>> {
  const path = `/${encodeURIComponent(wabaId)}/message_templates`;
  const list = await client.list(path, { fields: TEMPLATE_FIELDS, limit: PAGE_ROWS }, TEMPLATES_MAX);
  return mapResult(list, ({ rows, whole }) => ({
    whole,
    templates: rows.flatMap((row) => {
      const definition = readTemplate(row);
      return definition === null ? [] : [{ definition, row }];
    }),
  }));
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
