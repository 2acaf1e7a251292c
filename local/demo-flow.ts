import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import { runFunction } from "./backend";
import { buildApp, isBuilt } from "./build-app";
import { inbound, seedDemo } from "./demo-data";
import { loadEnv } from "./env";
import { LocalError, runCommand } from "./local-error";
import { connectMcp } from "./mcp-client";
import { freePort } from "./ports";
import { graphRequests, webhookDeliveries } from "./simulator-client";
import { type Stack, startStack } from "./stack";

/** How long the demonstration waits for one step before it says which one did not come. */
const STEP_WAIT_MS = 15_000;
const STEP_POLL_MS = 50;

const CUSTOMER = "+16505551234";

/**
 * `npm run demo:flow`: a customer writes, an agent reads and answers over MCP, the ticks come back. The same processes
 * as `npm start`, on free ports and in a folder that is removed afterwards.
 */
await runCommand(async () => {
  if (!isBuilt()) {
    say("Building the app, once ...");
    const lines: string[] = [];
    await buildApp((line) => lines.push(line)).catch((error: unknown) => {
      say(lines.join("\n"));
      throw error;
    });
  }
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "pons-demo-"));
  const env = await loadEnv({
    generate: true,
    file: null,
    from: {
      PORT: String(await freePort()),
      CONVEX_PORT: String(await freePort()),
      CONVEX_SITE_PORT: String(await freePort()),
      SIM_PORT: String(await freePort()),
      PONS_DATA_DIR: dataDir,
    },
  });
  const stack = await startStack({ env, mode: "production", simulator: true, say, log: () => undefined });
  try {
    await playLoop(stack);
  } finally {
    await stack.stop();
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
});

async function playLoop({ env, backend, simulatorUrl }: Stack): Promise<void> {
  if (simulatorUrl === null) throw new LocalError("The demonstration needs the simulator.");
  await seedDemo(backend, env, simulatorUrl);
  const { key } = z.looseObject({ key: z.string() }).parse(
    await runFunction(backend, "keysAdmin:create", {
      accountId: await onlyAccount(backend),
      name: "demo agent",
      scopes: ["read", "send"],
    }),
  );
  step(1, "The WhatsApp number is connected, an agent has a key", `${key.slice(0, 14)}… (read, send)`);

  const startedAt = performance.now();
  const { messageId } = await inbound(simulatorUrl, {
    from: CUSTOMER,
    name: "Sheena Nelson",
    type: "text",
    text: "Can I pick it up at ten?",
  });
  step(
    2,
    "Sheena writes; her signed webhook is stored before it is answered",
    `${messageId} in ${Math.round(performance.now() - startedAt)} ms`,
  );

  const agent = await connectMcp(env.SITE_URL, key);
  const { tools } = await agent.listTools();
  step(3, "The agent connects over MCP and sees its tools", tools.map((tool) => tool.name).join(", "));

  const conversation = await agent.callTool({
    name: "get_conversation",
    arguments: { contact: CUSTOMER, limit: 5 },
  });
  step(4, "get_conversation", JSON.stringify(conversation.structuredContent, null, 2));

  const callsBefore = (await graphRequests(simulatorUrl)).length;
  const sent = await agent.callTool({
    name: "send_text",
    arguments: { contact: CUSTOMER, text: "Ten is fine, see you on Saturday!", client_request_id: "demo-1" },
  });
  step(5, "send_text", JSON.stringify(sent.structuredContent));
  const calls = (await graphRequests(simulatorUrl, callsBefore)).filter((call) =>
    call.path.endsWith("/messages"),
  );
  step(6, "Meta's Graph API was called", `${calls.length} time: ${JSON.stringify(calls[0]?.body)}`);

  for (const status of ["sent", "delivered", "read"]) await webhookWith(simulatorUrl, status);
  step(7, "Its status webhooks came back", "sent, delivered, read");
  const after = await agent.callTool({
    name: "get_conversation",
    arguments: { contact: CUSTOMER, limit: 1 },
  });
  step(8, "The agent sees the ticks too", JSON.stringify(after.structuredContent));
  await agent.close();
  say("\nThe same loop by hand: npm run dev");
}

async function onlyAccount(backend: Stack["backend"]): Promise<string> {
  const [account] = z
    .array(z.looseObject({ id: z.string() }))
    .parse(await runFunction(backend, "accountsAdmin:list", {}));
  if (!account) throw new LocalError("The demo account is missing.");
  return account.id;
}

async function webhookWith(simulatorUrl: string, status: string): Promise<void> {
  const deadline = performance.now() + STEP_WAIT_MS;
  while (performance.now() < deadline) {
    const deliveries = await webhookDeliveries(simulatorUrl);
    if (deliveries.some(({ status: answer, body }) => answer === 200 && body.includes(`"${status}"`))) return;
    await new Promise((resolve) => setTimeout(resolve, STEP_POLL_MS));
  }
  throw new LocalError(`The status "${status}" did not come within ${STEP_WAIT_MS / 1000} s.`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function step(number: number, what: string, detail: string): void {
  say(`\n${number}. ${what}\n${detail.replace(/^/gm, "   ")}`);
}
