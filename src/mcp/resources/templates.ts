import { isRefusal, refusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { fittingPage } from "../pages";
import { businessOf } from "../shapes";
import { templateOf } from "../template-rows";
import { jsonContent, type Resource } from "./define-resource";

/** Templates of one read, the usable ones first; the rest is for list_templates. */
const TEMPLATES = 50;

export const templates: Resource = {
  kind: "templates",
  name: "templates",
  title: "Templates of a number",
  description: "The message templates of a business number, with what each needs to be filled in.",
  mimeType: "application/json",
  read: async (caller, { ref: from }) => {
    if (from === undefined) return refusal("not_found");
    const answer = await fittingPage(TEMPLATES, async (limit) => {
      const page = await queryAs(caller.identity, api.mcp.listTemplates, { from, limit });
      if (isRefusal(page)) return page;
      return {
        business: businessOf(page.account),
        templates: page.templates.map(templateOf),
        has_more: page.nextCursor !== null,
      };
    });
    return isRefusal(answer) ? answer : jsonContent(answer);
  },
};
