import fs from "node:fs";
import path from "node:path";
import * as z from "zod";
import { ROOT } from "../../local/env";
import { freePort } from "../../local/ports";
import { type Child, nodeArgs, startChild } from "../../local/process";
import { APP_SECRET } from "./webhook-bodies";

/** The smallest app of the same Next version that does the same, which is what the product's routes are measured by. */
export type BareNext = { mcpUrl: string; webhookUrl: string; pid: number; close(): Promise<void> };

const SOURCE = path.join(ROOT, "tests/fixtures/bare-next");
/** Beside the project's modules, to which it gets hard links; outside version control. */
const COPIES = path.join(ROOT, "tmp");
/** What the app's sources import, and what Next cannot be without. */
const PACKAGES = ["next", "react", "react-dom", "@modelcontextprotocol/server", "zod"];

/** Builds the app in a folder of its own, which is removed when it is closed, and starts it. */
export async function openBareNext(): Promise<BareNext> {
  fs.mkdirSync(COPIES, { recursive: true });
  const folder = fs.mkdtempSync(path.join(COPIES, "bare-next-"));
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  try {
    fs.cpSync(SOURCE, folder, { recursive: true });
    linkPackages(folder);
    await build(folder);
    const port = await freePort();
    const app = await start(folder, port);
    const origin = `http://127.0.0.1:${port}`;
    return {
      mcpUrl: `${origin}/api/mcp`,
      webhookUrl: `${origin}/api/webhook`,
      pid: app.pid,
      close: async () => {
        await app.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const manifest = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/**
 * Gives the folder modules of its own: the bundler follows no links out of it. Of what is optional only Next's own
 * compiler is needed.
 */
function linkPackages(folder: string): void {
  const waiting = [...PACKAGES];
  const linked = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const from = path.join(ROOT, "node_modules", name);
    if (linked.has(name) || !fs.existsSync(from)) continue;
    linked.add(name);
    linkFolder(from, path.join(folder, "node_modules", name));
    const text = fs.readFileSync(path.join(from, "package.json"), "utf8");
    const { dependencies, optionalDependencies } = manifest.parse(JSON.parse(text));
    const compilers = Object.keys(optionalDependencies).filter((optional) => optional.startsWith("@next/"));
    waiting.push(...Object.keys(dependencies), ...compilers);
  }
}

function linkFolder(from: string, to: string): void {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) linkFolder(source, target);
    else if (entry.isFile()) fs.linkSync(source, target);
  }
}

async function build(folder: string): Promise<void> {
  const lines: string[] = [];
  const { ok, why } = await runNext(folder, ["build"], (line) => lines.push(line)).ended;
  if (!ok) throw new Error(`${why}: ${lines.slice(-10).join(" | ")}`);
}

async function start(folder: string, port: number): Promise<Child> {
  const child = runNext(folder, ["start", "--port", String(port), "--hostname", "127.0.0.1"]);
  await child.line(/Ready in/);
  return child;
}

function runNext(
  folder: string,
  [command = "", ...args]: string[],
  onLine: (line: string) => void = () => undefined,
): Child {
  return startChild({
    name: `bare next ${command}`,
    command: process.execPath,
    args: nodeArgs(path.join(folder, "node_modules/next/dist/bin/next"), [command, folder, ...args]),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", BARE_APP_SECRET: APP_SECRET },
    onLine,
  });
}
