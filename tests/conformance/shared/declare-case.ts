import { test } from "vitest";
import { DIFFERENCES } from "../differences";
import type { BackendName } from "./backend";

/**
 * Declares a shared case for one backend. A case that is listed as a known difference must fail there: when it no
 * longer does, the list is out of date, and the test says so.
 */
export function declareCase(name: BackendName, title: string, body: () => Promise<void>): void {
  const reason = DIFFERENCES[name][title];
  if (reason === undefined) test(title, body);
  else test.fails(`${title} (differs: ${reason})`, body);
}
