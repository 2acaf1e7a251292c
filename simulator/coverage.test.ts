import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { FAULT_KINDS } from "./fault-effects";
import { MAGIC_ENDINGS } from "./handset/magic-numbers";

/** The names of the tests and of the rows of their tables in these files, which say what each of them shows. */
async function testNames(files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, import.meta.url), "utf8")));
  return texts
    .flatMap((text) => [...text.matchAll(/(?:test\(|\]\)\(|^\s*\[)\s*"([^"]+)"/gm)].map(([, name]) => name))
    .join("\n");
}

const missing = (names: string, wanted: readonly string[]) =>
  wanted.filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(names));

describe("what can be asked of the simulator has a test that shows its effect from outside", () => {
  test("each fault is named by a test of its effect", async () => {
    const names = await testNames(["faults.test.ts", "faults-of-answers.test.ts"]);
    expect(missing(names, FAULT_KINDS)).toEqual([]);
    expect(missing(names, ["a_fault_without_a_test"])).toEqual(["a_fault_without_a_test"]);
  });

  test("each magic number is named by a test of its effect", async () => {
    const names = await testNames(["handset/magic-numbers.test.ts"]);
    const endings = MAGIC_ENDINGS.map((digits) => digits.slice(-4));
    expect(endings).toHaveLength(14);
    expect(missing(names, endings)).toEqual([]);
  });
});
