import fs from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../local/env";
import { DIFFERENCES } from "./differences";
import { COMPONENT_RULES } from "./shared/component-cases";
import { SHARED_RULES } from "./shared/run-cases";

const CLIENT = path.join(ROOT, "node_modules/convex/src/server");
const README = path.join(ROOT, "tests/conformance/README.md");

type Row = { key: string; file: string; title: string };

/** Rows of the tables of the README: what, in which file, which case. */
function readRows(): Row[] {
  return fs
    .readFileSync(README, "utf8")
    .split("\n")
    .flatMap((line) => {
      const match = /^\| (?<key>.+?) \| `(?<file>[^`]+)` \| (?<title>.+) \|$/.exec(line);
      const { key, file, title } = match?.groups ?? {};
      return key && file && title ? [{ key, file, title }] : [];
    });
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
}

function visitCalls(node: ts.Node, visit: (name: string, first: ts.Expression | undefined) => void): void {
  if (ts.isCallExpression(node)) {
    // `test("…")`, `test.each(…)("…")` and `test.skipIf(…)("…")` are all calls of `test` in the end.
    let callee: ts.Expression = node.expression;
    while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
    if (ts.isIdentifier(callee)) visit(callee.text, node.arguments[0]);
  }
  ts.forEachChild(node, (child) => visitCalls(child, visit));
}

/** Titles of the cases in a file. */
function titlesIn(file: string): Set<string> {
  const titles = new Set<string>();
  if (!fs.existsSync(file)) return titles;
  visitCalls(parse(file), (name, first) => {
    const isCase = name === "test" || name === "it" || name === "rule";
    if (isCase && first !== undefined && ts.isStringLiteralLike(first)) titles.add(first.text);
  });
  return titles;
}

/** Every system call that the installed client makes. */
function systemCalls(): string[] {
  const operations = new Set<string>();
  for (const name of fs.readdirSync(CLIENT, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    visitCalls(parse(path.join(CLIENT, name)), (callee, first) => {
      const isSystemCall = /^perform(Async|Js)?Syscall$/.test(callee);
      if (isSystemCall && first !== undefined && ts.isStringLiteralLike(first)) operations.add(first.text);
    });
  }
  return [...operations].sort();
}

const rows = readRows();

describe("the coverage table", () => {
  test("names a case for every system call of the installed client", () => {
    const calls = systemCalls();
    expect(calls).toContain("1.0/get");
    expect(calls.length).toBeGreaterThan(30);
    const named = new Set(rows.map(({ key }) => key.replaceAll("`", "")));
    expect(calls.filter((call) => !named.has(call))).toEqual([]);
  });

  test("names cases that exist", () => {
    expect(rows.length).toBeGreaterThan(150);
    const titles = new Map(
      [...new Set(rows.map(({ file }) => file))].map((file) => [file, titlesIn(path.join(ROOT, file))]),
    );
    expect(rows.filter(({ file, title }) => titles.get(file)?.has(title) !== true)).toEqual([]);
  });
});

describe("the list of differences", () => {
  test("names shared cases only, each of them written once", () => {
    const rules = [...Object.values(SHARED_RULES).flat(), ...COMPONENT_RULES];
    const titles = rules.map(({ title }) => title);
    expect(titles.filter((title, n) => titles.indexOf(title) !== n)).toEqual([]);
    const listed = Object.values(DIFFERENCES).flatMap((differences) => Object.keys(differences));
    expect(listed.filter((title) => !titles.includes(title))).toEqual([]);
  });
});
