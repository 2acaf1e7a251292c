import { describe } from "vitest";
import type { Backend, BackendName } from "./backend";
import { callRules } from "./cases/calls";
import { documentRules } from "./cases/documents";
import { fileRules } from "./cases/files";
import { globalRules } from "./cases/globals";
import { httpRules } from "./cases/http";
import { jobRules } from "./cases/jobs";
import { metaRules } from "./cases/meta";
import { queryRules } from "./cases/queries";
import { searchRules } from "./cases/search";
import { valueRules } from "./cases/values";
import { declareCase } from "./declare-case";

export const SHARED_RULES = {
  values: valueRules,
  documents: documentRules,
  queries: queryRules,
  search: searchRules,
  calls: callRules,
  "scheduled functions": jobRules,
  files: fileRules,
  "HTTP actions": httpRules,
  "identity and metadata": metaRules,
  globals: globalRules,
};

/** Runs every shared case on one backend. */
export function runSharedCases(name: BackendName, open: () => Promise<Backend>): void {
  for (const [area, rules] of Object.entries(SHARED_RULES)) {
    describe(`${area} on ${name}`, () => {
      for (const { title, run } of rules) {
        declareCase(name, title, async () => {
          const backend = await open();
          try {
            await run(backend);
          } finally {
            await backend.close();
          }
        });
      }
    });
  }
}
