import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import * as z from "zod";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const resultSchema = z.array(
  z.looseObject({ id: z.string(), help: z.string(), nodes: z.array(z.looseObject({ html: z.string() })) }),
);

/** Breaches of WCAG 2.2 A and AA on the page as it is now: one line each, empty when there are none. */
export async function breaches(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  const violations: unknown = await page.evaluate(
    `axe.run(document.body, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((result) => result.violations)`,
  );
  return resultSchema
    .parse(violations)
    .map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes[0]?.html.slice(0, 160)}`);
}
