import { readTemplate } from "#shared/whatsapp/template-definition";
import type { Id } from "../../convex/_generated/dataModel";
import { describeTemplate, stateOfStatus } from "../../convex/model/templateRow";
import { type App, START } from "./convex-app";

interface TemplateWords {
  name: string;
  body: string;
  category: string;
  status: string;
}

/** A template as the sync stores it, without reading Meta's list. */
export async function addTemplate(
  app: App,
  accountId: Id<"accounts">,
  words: Pick<TemplateWords, "name" | "body"> & Partial<TemplateWords>,
): Promise<void> {
  const { name, body, category = "UTILITY", status = "APPROVED" } = words;
  const components = [{ type: "BODY", text: body }];
  const definition = readTemplate({ name, language: "en_US", status, category, components });
  if (definition === null) throw new Error("The template has no name.");
  const described = describeTemplate(definition, JSON.stringify(components));
  await app.backend.run(async (ctx) => {
    const row = { accountId, category, ...described, ...stateOfStatus(status, definition), syncedAt: START };
    await ctx.db.insert("templates", row);
  });
}
