import fs from "node:fs";
import path from "node:path";
import { type Backend, setVariables } from "./backend";
import { identityJwks, type LocalEnv, ROOT } from "./env";
import { LocalError } from "./local-error";
import { nodeArgs, startChild } from "./process";

const CLI = path.join(ROOT, "node_modules/convex/bin/main.js");

/** Editors write a file in several steps; one push waits for them all. */
const SETTLE_MS = 200;

/**
 * Bundles `convex/` with the official CLI and deploys it. `deploy` and not `dev`: the latter writes the backend's
 * address into .env.local, which would outlive the ports of this run.
 */
export async function pushFunctions(backend: Backend, options: { codegen: boolean }): Promise<void> {
  const lines: string[] = [];
  const child = startChild({
    name: "convex deploy",
    command: process.execPath,
    args: nodeArgs(CLI, [
      "deploy",
      "--url",
      backend.url,
      "--admin-key",
      backend.adminKey,
      "--typecheck",
      "disable",
      "--codegen",
      options.codegen ? "enable" : "disable",
      "--yes",
    ]),
    env: cliEnv(),
    onLine: (line) => lines.push(line),
  });
  const { ok } = await child.ended;
  if (!ok) throw new LocalError(`The functions could not be deployed:\n${lines.slice(-20).join("\n")}`);
}

/** The CLI prefers its own variables to its flags, so none of them may leak in from .env.local or the shell. */
export function cliEnv(): NodeJS.ProcessEnv {
  const {
    CONVEX_DEPLOYMENT: _a,
    CONVEX_DEPLOY_KEY: _b,
    CONVEX_SELF_HOSTED_URL: _c,
    CONVEX_SELF_HOSTED_ADMIN_KEY: _d,
    ...rest
  } = process.env;
  return { ...rest, CONVEX_SELF_HOSTED_URL: "", CONVEX_SELF_HOSTED_ADMIN_KEY: "", CI: "1" };
}

/** What the functions read from `process.env`; set before each push, because auth.config.ts is evaluated by it. */
export async function setDeploymentVariables(
  backend: Backend,
  env: LocalEnv,
  simulatorUrl: string | null,
): Promise<void> {
  await setVariables(backend, {
    SITE_URL: env.SITE_URL,
    CONVEX_IDENTITY_JWKS: identityJwks(env.CONVEX_IDENTITY_KEY),
    SECRETS_KEYS: env.SECRETS_KEYS,
    API_KEY_PEPPER: env.API_KEY_PEPPER,
    WEBHOOK_VERIFY_TOKEN: env.WEBHOOK_VERIFY_TOKEN,
    META_GRAPH_URL: env.META_GRAPH_URL ?? simulatorUrl ?? "https://graph.facebook.com",
    META_GRAPH_VERSION: env.META_GRAPH_VERSION,
    META_MEDIA_HOSTS: env.META_MEDIA_HOSTS ?? (simulatorUrl ? new URL(simulatorUrl).host : undefined),
    FACEBOOK_APP_ID: env.FACEBOOK_APP_ID,
    FACEBOOK_APP_SECRET: env.FACEBOOK_APP_SECRET,
  });
}

/**
 * Pushes again whenever a source of the functions changes; one push at a time, the last state wins.
 * @returns a function that stops watching
 */
export function watchFunctions(push: () => Promise<void>, report: (line: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await push();
      report("Functions deployed.");
    } catch (error) {
      // A syntax error while editing must not end the session: it is shown, and the next save tries again.
      report(error instanceof Error ? error.message : String(error));
    }
    running = false;
    if (again) {
      again = false;
      void run();
    }
  };
  const onChange = (_event: string, file: string | null) => {
    if (!file || !/\.tsx?$/.test(file) || /(^|\/)_generated\/|\.test\.ts$/.test(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), SETTLE_MS);
  };
  const watchers = ["convex", "shared"].map((zone) =>
    fs.watch(path.join(ROOT, zone), { recursive: true }, onChange),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
