import { readTemplate } from "#shared/whatsapp/template-definition";
import type { Id } from "../../convex/_generated/dataModel";
import { describeTemplate, stateOfStatus } from "../../convex/model/templateRow";
import { type App, START } from "./convex-app";

interface TemplateWords {
  name: string;
  body: string;
  language: string;
  category: string;
  status: string;
}

type SomeWords = Pick<TemplateWords, "name" | "body"> & Partial<TemplateWords>;

/** A template as the sync stores it, without reading Meta's list. */
export async function addTemplate(app: App, accountId: Id<"accounts">, words: SomeWords): Promise<void> {
  await app.backend.run(async (ctx) => {
    await ctx.db.insert("templates", templateRowOf(accountId, words));
  });
}

/** Its row. */
export function templateRowOf(accountId: Id<"accounts">, words: SomeWords) {
  const { name, body, language = "en_US", category = "UTILITY", status = "APPROVED" } = words;
  const components = [{ type: "BODY", text: body }];
  const definition = readTemplate({ name, language, status, category, components });
  if (definition === null) throw new Error("The template has no name.");
  const described = describeTemplate(definition, JSON.stringify(components));
  return { accountId, category, ...described, ...stateOfStatus(status, definition), syncedAt: START };
}
