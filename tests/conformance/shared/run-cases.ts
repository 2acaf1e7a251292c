import { describe, test } from "vitest";
import { DIFFERENCES } from "../differences";
import type { Backend, BackendName } from "./backend";
import { callRules } from "./cases/calls";
import { documentRules } from "./cases/documents";
import { fileRules } from "./cases/files";
import { globalRules } from "./cases/globals";
import { httpRules } from "./cases/http";
import { jobRules } from "./cases/jobs";
import { metaRules } from "./cases/meta";
import { queryRules } from "./cases/queries";
import { valueRules } from "./cases/values";

export const SHARED_RULES = {
  values: valueRules,
  documents: documentRules,
  queries: queryRules,
  calls: callRules,
  "scheduled functions": jobRules,
  files: fileRules,
  "HTTP actions": httpRules,
  "identity and metadata": metaRules,
  globals: globalRules,
};

/**
 * Runs every shared case on one backend. A case that is listed as a known difference must fail there: when it no
 * longer does, the list is out of date, and the test says so.
 */
export function runSharedCases(name: BackendName, open: () => Promise<Backend>): void {
  const known = DIFFERENCES[name];
  for (const [area, rules] of Object.entries(SHARED_RULES)) {
    describe(`${area} on ${name}`, () => {
      for (const { title, run } of rules) {
        const body = async () => {
          const backend = await open();
          try {
            await run(backend);
          } finally {
            await backend.close();
          }
        };
        const reason = known[title];
        if (reason === undefined) test(title, body);
        else test.fails(`${title} (differs: ${reason})`, body);
      }
    });
  }
}
