import path from "node:path";
import { type Backend, backendOf } from "./backend";
import { isBuilt } from "./build-app";
import { type LocalEnv, ROOT } from "./env";
import { LocalError } from "./local-error";
import { requireFreePorts } from "./ports";
import { type Child, type Ending, nodeArgs, startChild } from "./process";
import { pushFunctions, setDeploymentVariables, watchFunctions } from "./push";

const NEXT = path.join(ROOT, "node_modules/next/dist/bin/next");

/** The app answers its health page within this after Next says it is ready; a first `next dev` compile is slow. */
const HEALTH_WAIT_MS = 120_000;
const HEALTH_RETRY_MS = 250;

export type Stack = {
  env: LocalEnv;
  backend: Backend;
  simulatorUrl: string | null;
  /** Resolves when a part ends by itself, with a sentence that names it. */
  ended: Promise<Ending>;
  stop(): Promise<void>;
};

export type StackOptions = {
  env: LocalEnv;
  /** `dev`: next dev, errors in full, functions pushed again on change. `production`: next start, errors redacted. */
  mode: "dev" | "production";
  simulator: boolean;
  /** Progress for people, one line a step. */
  say: (line: string) => void;
  /** Lines of the parts themselves. */
  log: (part: string, line: string) => void;
};

/**
 * Starts the parts in the order in which they need each other: engine, functions, app, simulator (its webhook
 * handshake needs the app). Whatever was started is ended again when a later part fails.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { env } = options;
  await requireFreePorts([
    { name: "PORT", port: env.PORT },
    ...(env.embedded
      ? [
          { name: "CONVEX_PORT", port: env.CONVEX_PORT },
          { name: "CONVEX_SITE_PORT", port: env.CONVEX_SITE_PORT },
        ]
      : []),
    ...(options.simulator ? [{ name: "SIM_PORT", port: env.SIM_PORT }] : []),
  ]);
  if (options.mode === "production") requireBuild();

  const children: Child[] = [];
  const stoppers: (() => void)[] = [];
  const stop = async () => {
    for (const stopper of stoppers) stopper();
    // Last started, first ended: the app must not lose its backend while it still answers.
    for (const child of [...children].reverse()) await child.stop();
  };
  const start = (name: string, script: string, args: string[], extra: NodeJS.ProcessEnv): Child => {
    const child = startChild({
      name,
      command: process.execPath,
      args: nodeArgs(script, args),
      env: { ...process.env, ...extra },
      onLine: (line) => options.log(name, line),
    });
    children.push(child);
    return child;
  };
  const simulatorUrl = options.simulator ? `http://127.0.0.1:${env.SIM_PORT}` : null;
  const backend = backendOf(env);

  try {
    if (env.embedded) {
      options.say("Starting the engine ...");
      await startEngine(options, start);
    }
    options.say("Deploying the functions ...");
    await setDeploymentVariables(backend, env, simulatorUrl);
    const push = () => pushFunctions(backend, { codegen: options.mode === "dev" });
    await push();
    if (options.mode === "dev") stoppers.push(watchFunctions(push, (line) => options.log("convex", line)));
    options.say("Starting the app ...");
    await startApp(options, start);
    if (simulatorUrl) {
      options.say("Starting the WhatsApp simulator ...");
      await startSimulator(env, start);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, backend, simulatorUrl, ended: Promise.race(children.map((child) => child.ended)), stop };
}

type Start = (name: string, script: string, args: string[], extra: NodeJS.ProcessEnv) => Child;

async function startEngine({ env, mode }: StackOptions, start: Start): Promise<void> {
  const child = start(
    "engine",
    "engine/main.ts",
    [
      "--port",
      String(env.CONVEX_PORT),
      "--site-port",
      String(env.CONVEX_SITE_PORT),
      "--data",
      env.dataDir,
      "--admin-key",
      env.CONVEX_SELF_HOSTED_ADMIN_KEY,
      // File links and CONVEX_SITE_URL must name what browsers and Meta reach, not where this process listens.
      "--cloud-origin",
      env.NEXT_PUBLIC_CONVEX_URL,
      "--site-origin",
      env.CONVEX_SITE_URL,
      ...(mode === "production" ? ["--redact-errors", "--isolation", "reuse"] : ["--isolation", "fresh"]),
    ],
    {},
  );
  await child.line(/^ready /);
}

async function startApp({ env, mode }: StackOptions, start: Start): Promise<void> {
  const child = start(
    "app",
    NEXT,
    [mode === "dev" ? "dev" : "start", "--port", String(env.PORT), "--hostname", "127.0.0.1"],
    appEnv(env),
  );
  await child.line(/Ready in|ready/i);
  await waitForHealth(env, child);
}

/** The app reads the same names as its users do; only what follows from the ports is added. */
export function appEnv(env: LocalEnv): NodeJS.ProcessEnv {
  return {
    PORT: String(env.PORT),
    SITE_URL: env.SITE_URL,
    NEXT_PUBLIC_CONVEX_URL: env.NEXT_PUBLIC_CONVEX_URL,
    CONVEX_SITE_URL: env.CONVEX_SITE_URL,
    BETTER_AUTH_SECRET: env.BETTER_AUTH_SECRET,
    CONVEX_IDENTITY_KEY: env.CONVEX_IDENTITY_KEY,
    API_KEY_PEPPER: env.API_KEY_PEPPER,
    SETUP_TOKEN: env.SETUP_TOKEN,
    WEBHOOK_VERIFY_TOKEN: env.WEBHOOK_VERIFY_TOKEN,
    NEXT_TELEMETRY_DISABLED: "1",
  };
}

async function waitForHealth(env: LocalEnv, child: Child): Promise<void> {
  const url = `http://127.0.0.1:${env.PORT}/api/health`;
  const deadline = Date.now() + HEALTH_WAIT_MS;
  let ended: string | null = null;
  void child.ended.then(({ why }) => {
    ended = why;
  });
  let last = "no answer";
  while (Date.now() < deadline) {
    if (ended) throw new LocalError(`The app did not start: ${ended}.`);
    last = await fetch(url).then(
      async (response) => (response.ok ? "ok" : `${response.status} ${await response.text()}`),
      (error: unknown) => String(error),
    );
    if (last === "ok") return;
    await new Promise((resolve) => setTimeout(resolve, HEALTH_RETRY_MS));
  }
  throw new LocalError(`The app does not report health at ${url}: ${last.slice(0, 300)}`);
}

async function startSimulator(env: LocalEnv, start: Start): Promise<void> {
  const child = start("simulator", "simulator/main.ts", ["--port", String(env.SIM_PORT)], {
    SIM_APP_SECRET: env.SIM_APP_SECRET,
    SIM_VERIFY_TOKEN: env.WEBHOOK_VERIFY_TOKEN,
    SIM_WEBHOOK_URL: `http://127.0.0.1:${env.PORT}/api/webhook`,
  });
  await child.line(/^ready /);
}

function requireBuild(): void {
  if (isBuilt()) return;
  throw new LocalError("There is no build yet: run `npm run build` first.");
}
