import * as z from "zod";
import { type Backend, runFunction } from "./backend";
import { seedDemo } from "./demo-data";
import { loadEnv } from "./env";
import { LocalError } from "./local-error";
import { type Stack, startStack } from "./stack";

/**
 * `npm run dev` and `npm start`: the whole product in the foreground until Ctrl+C, SIGTERM or the end of a part.
 * Development always brings the simulator; production only with PONS_DEMO=1.
 */
export async function serve({ mode }: { mode: "dev" | "production" }): Promise<void> {
  const env = await loadEnv({ generate: mode === "dev" });
  const simulator = mode === "dev" || env.demo;
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
  });
  const starting = startStack({ env, mode, simulator, say, log });
  const first = await Promise.race([starting, stopRequested]);
  if (typeof first === "string") {
    // Asked to stop while starting: let the start settle, then end what it brought up. A start that fails has
    // ended its own parts, and the person who pressed Ctrl+C has no more use for its reason.
    await starting.then(
      (stack) => stack.stop(),
      () => undefined,
    );
    return;
  }
  try {
    if (first.simulatorUrl && (await seedDemo(first.backend, env, first.simulatorUrl)))
      say("Demo data added.");
    say(await welcome(first));
    const ending = await Promise.race([first.ended, stopRequested.then(() => null)]);
    if (ending) throw new LocalError(`${ending.why}; everything is stopped.`);
    say("Stopping ...");
  } finally {
    await first.stop();
  }
}

async function welcome({ env, backend, simulatorUrl }: Stack): Promise<string> {
  const claimed = await isClaimed(backend);
  const lines = [
    "",
    "  Pons is ready.",
    "",
    `  Inbox        ${env.SITE_URL}/dashboard`,
    ...(claimed ? [] : [`  First owner  ${env.SITE_URL}/login?setup=${env.SETUP_TOKEN}`]),
    ...(simulatorUrl ? [`  Customers    ${simulatorUrl}   write as a customer, see the reply`] : []),
    `  Docs         ${env.SITE_URL}/docs`,
    `  MCP          ${env.SITE_URL}/api/mcp   npm run pons -- keys create --name my-agent --scopes read,send`,
    `  Backend      ${env.NEXT_PUBLIC_CONVEX_URL}${env.embedded ? `   data in ${env.dataDir}` : ""}`,
    "",
    "  Ctrl+C stops everything.",
    "",
  ];
  return lines.join("\n");
}

async function isClaimed(backend: Backend): Promise<boolean> {
  return z.object({ claimed: z.boolean() }).parse(await runFunction(backend, "instance:status", {})).claimed;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const log = (part: string, line: string): void => {
  process.stdout.write(`${part.padEnd(9)} | ${line}\n`);
};
