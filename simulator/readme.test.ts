import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { FAULT_KINDS } from "./fault-effects";
import { SCRIPT_NAMES } from "./handset/scripts";
import { startBench } from "./test-support";

const run = promisify(execFile);
const readme = await readFile(new URL("README.md", import.meta.url), "utf8");

test("the ten lines of the README work, one after the other", async () => {
  const section = /## Ten lines[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("curl "));
  expect(lines).toHaveLength(10);
  const bench = await startBench();
  try {
    for (const line of lines) {
      const { stdout } = await run("sh", ["-c", line.replaceAll("$SIM", bench.simulator.url)]);
      expect([line, JSON.parse(stdout)]).toEqual([
        line,
        expect.not.objectContaining({ error: expect.anything() }),
      ]);
    }
  } finally {
    await bench.close();
  }
});

test("every other line of the README that needs nothing but a simulator works, too", async () => {
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block).slice(2);
  const lines = blocks
    .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    // What holds an ellipsis or a file is for people to fill in.
    .filter((line) => line.startsWith("curl ") && !/\.\.\.|[<>]|@|\$GRAPH/.test(line));
  expect(lines.length).toBeGreaterThan(10);
  const bench = await startBench();
  try {
    for (const line of lines) {
      const { stdout } = await run("sh", ["-c", line.replaceAll("$SIM", bench.simulator.url)]);
      expect([line, JSON.parse(stdout)]).toEqual([
        line,
        expect.not.objectContaining({ error: expect.anything() }),
      ]);
    }
  } finally {
    await bench.close();
  }
});

test("the README names every fault and every script", () => {
  const unnamed = [...FAULT_KINDS, ...SCRIPT_NAMES].filter(
    (name) => !new RegExp(`\`${name}\\b`).test(readme),
  );
  expect(unnamed).toEqual([]);
});
