import { templateStateOf } from "#shared/domain/template-state";
import { readTemplate, type TemplateDefinition } from "#shared/whatsapp/template-definition";
import { countTemplateParams, isBuiltToSend, templatePreview } from "#shared/whatsapp/template-summary";
import { templateParamsSchema } from "#shared/whatsapp/template-values";
import type { Doc } from "../_generated/dataModel";

type Described = Pick<
  Doc<"templates">,
  | "name"
  | "language"
  | "parameterFormat"
  | "components"
  | "paramsSchema"
  | "paramCount"
  | "preview"
  | "searchText"
>;

/** `en-US` and `en_US` are one language; the list writes the second. */
export function templateLanguage(text: string): string {
  return text.replace("-", "_");
}

/** What a row says about how the template is built; `components` is Meta's own JSON text. */
export function describeTemplate(definition: TemplateDefinition, components: string): Described {
  const preview = templatePreview(definition);
  const { name, parameterFormat } = definition;
  return {
    name,
    language: templateLanguage(definition.language),
    parameterFormat,
    components,
    paramsSchema: JSON.stringify(templateParamsSchema(definition)),
    paramCount: countTemplateParams(definition),
    preview,
    searchText: `${name.replaceAll("_", " ")} ${preview}`,
  };
}

/** The template of a row as the rules of filling read it, with all of its parts. */
export function templateDefinition(row: Doc<"templates">): TemplateDefinition {
  const definition = readTemplate({
    name: row.name,
    language: row.language,
    status: row.status,
    category: row.category,
    parameter_format: row.parameterFormat.toUpperCase(),
    components: JSON.parse(row.components),
  });
  if (definition === null) throw new Error(`Template ${row._id} has no name or language.`);
  return definition;
}

/** The fields that follow from a word of Meta's list. */
export function stateOfStatus(status: string, definition: TemplateDefinition) {
  const state = templateStateOf(status);
  return { status, state, usable: state === "approved" && isBuiltToSend(definition) };
}
