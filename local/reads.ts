import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import ts from "typescript";
import { ROOT } from "./env";
import { LocalError, runCommand } from "./local-error";

/** One query of a table as it stands in the source. */
interface Read {
  place: string;
  table: string;
  index: string | null;
  /** How many rows it may take: `take(50)`, `first()`, `unique()`, `paginate(...)`. */
  end: string;
}

/**
 * Files whose queries are put together from what Better Auth asks for, so that their index cannot be read from the
 * source; they take a bounded number of rows and throw when there are more.
 */
const DYNAMIC_FILES: ReadonlySet<string> = new Set(["convex/model/authStore.ts"]);

/** Ways to end a query that say how many rows are read at most. */
const BOUNDED_ENDS: ReadonlySet<string> = new Set(["take", "first", "unique", "paginate"]);

/**
 * `npm run reads`: every query that `convex/` makes, with its index and its bound. Fails for one that would walk a
 * table or has no bound, because such a read is quick in every test and slow for the one who has a million messages.
 * That index and fields exist is what the compiler checks.
 */
await runCommand(async () => {
  const { values } = parseArgs({ options: { list: { type: "boolean" }, json: { type: "boolean" } } });
  const reads = sourceFiles(path.join(ROOT, "convex")).flatMap(readsOf);
  if (values.json) process.stdout.write(`${JSON.stringify({ reads })}\n`);
  else if (values.list) {
    for (const { table, index, end, place } of reads)
      process.stdout.write(
        `${table.padEnd(22)} ${(index ?? "NO INDEX").padEnd(36)} ${end.padEnd(12)} ${place}\n`,
      );
  }
  const bad = reads.filter(
    ({ index, end, place }) =>
      (index === null || !BOUNDED_ENDS.has(end)) && !DYNAMIC_FILES.has(place.replace(/:\d+$/, "")),
  );
  if (reads.length === 0) throw new LocalError("No query was found in convex/, so nothing was checked.");
  if (bad.length > 0) {
    const lines = bad.map(({ place, table, index, end }) =>
      index === null
        ? `${place}: reads ${table} without an index`
        : `${place}: reads ${table} to its end (${end}), say how many rows`,
    );
    throw new LocalError(lines.join("\n"));
  }
  if (!values.json) process.stdout.write(`${reads.length} reads, each through an index and with a bound.\n`);
});

function sourceFiles(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$|^_generated/.test(file))
    .sort()
    .map((file) => path.join(folder, file));
}

function readsOf(file: string): Read[] {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const reads: Read[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTableQuery(node)) reads.push(readOf(source, node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return reads;
}

/** `ctx.db.query("messages")`, however the context is called, and `reader(ctx).query(...)` of the sign-in store. */
function isTableQuery({ expression }: ts.CallExpression): boolean {
  return (
    ts.isPropertyAccessExpression(expression) &&
    expression.name.text === "query" &&
    /(^|\.)db$|^(reader|writer)\(ctx\)$/.test(expression.expression.getText())
  );
}

/** Follows the calls that hang on the query: `.withIndex(...).order(...).take(...)`. */
function readOf(source: ts.SourceFile, query: ts.CallExpression): Read {
  const [table] = query.arguments;
  const { line } = source.getLineAndCharacterOfPosition(query.getStart());
  let index: string | null = null;
  let end = "left open";
  let node: ts.Node = query;
  while (ts.isPropertyAccessExpression(node.parent) && ts.isCallExpression(node.parent.parent)) {
    const method = node.parent.name.text;
    const call: ts.CallExpression = node.parent.parent;
    const [first] = call.arguments;
    if ((method === "withIndex" || method === "withSearchIndex") && first !== undefined)
      index = first.getText().replaceAll('"', "");
    else if (method !== "order") end = method;
    node = call;
  }
  return {
    place: `${path.relative(ROOT, source.fileName)}:${line + 1}`,
    table: table === undefined ? "?" : table.getText().replaceAll('"', ""),
    index,
    end,
  };
}
