import fs from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { runFunction, setVariables } from "../../local/backend";
import { ROOT } from "../../local/env";
import { Deployment } from "./deployment";
import type { BusinessNumber } from "./meta";
import { openStage, type Stage } from "./stage";
import { Store } from "./store";

/**
 * A worker stores a file and then says in a mutation whose it is. The engine dies between the two, by `kill -9`, for
 * every action that stores files: the work is done again, and what the dead worker left is removed after a day.
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than a busy machine takes for what a sweeper starts. */
const WAIT_MS = 10_000;
const CUSTOMER = "+16505551234";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let stage: Stage;
let pictures: Server;
let deployment: Deployment;
let store: Store;
let number: BusinessNumber;
let accountId: string;

beforeAll(async () => {
  stage = await openStage();
  pictures = createServer((_request, response) => response.end(PNG));
  await new Promise<void>((resolve) => pictures.listen(0, "127.0.0.1", resolve));
  ({ 0: number } = await stage.meta.reset(1));
  deployment = await Deployment.start(stage.template);
  store = new Store(deployment);
  await connect();
});
afterAll(async () => {
  await deployment.stop();
  await stage.close();
  pictures.closeAllConnections();
  await new Promise((resolve) => pictures.close(resolve));
});

/** Connects the number and makes somebody its owner. */
async function connect(): Promise<void> {
  await setVariables(deployment.admin, { FORWARD_ALLOW_CIDRS: "127.0.0.0/8" });
  const added = await runFunction(deployment.admin, "accountsAdmin:add", {
    name: "Bakery",
    ...number,
    accessToken: "sim-access-token",
    appSecret: "sim-app-secret",
  });
  accountId = z.looseObject({ id: z.string() }).parse(added).id;
  const service = await deployment.as({ use: "service" });
  await service.mutation(makeFunctionReference<"mutation">("instance:claim"), { userId: "ana" });
}

const asAna = async (path: string, args: object) =>
  await (await deployment.as({ use: "user", userId: "ana" })).mutation(
    makeFunctionReference<"mutation">(path),
    { accountId, ...args },
  );

const receiveImage = async () => await stage.meta.write(CUSTOMER, number, { type: "image", caption: "Look" });
const sendLink = async () => {
  const [conversation] = await store.conversations();
  const address = pictures.address();
  if (conversation === undefined || typeof address !== "object" || address === null)
    throw new Error("There is no conversation, or no picture.");
  await asAna("messages:sendMedia", {
    conversationId: conversation._id,
    media: "image",
    file: { link: `http://127.0.0.1:${address.port}/cake.png` },
    clientRequestId: "r1",
  });
};
const newest = async () => (await store.messages()).at(-1);

/**
 * Lets a lease run out, so that the sweepers find what its worker left, and waits for what they start. The clocks go on
 * only when nothing came of it for long: a send is given up after ten minutes.
 */
async function outlive(leaseMs: number, isSo: () => Promise<boolean>): Promise<void> {
  await jump(leaseMs + MINUTE_MS);
  for (let minute = 0; minute < 6; minute++) {
    for (const until = Date.now() + WAIT_MS; Date.now() < until; ) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await jump(MINUTE_MS);
  }
  throw new Error("It never came to be.");
}

async function jump(ms: number): Promise<void> {
  await deployment.jump(ms);
  await stage.meta.jump(ms);
}

const isReady = async () => (await newest())?.media?.state === "ready";
const cases = [
  {
    name: "a customer's file",
    act: receiveImage,
    leaseMs: 6 * MINUTE_MS,
    isDone: isReady,
  },
  {
    name: "a file behind a link",
    act: sendLink,
    leaseMs: MINUTE_MS,
    isDone: async () => (await isReady()) && (await newest())?.wamid !== undefined,
  },
  {
    name: "a file of an export",
    act: async () => await asAna("exports:start", {}),
    leaseMs: 2 * MINUTE_MS,
    isDone: async () => (await store.jobs())[0]?.state === "done",
  },
];

test.each(cases)(
  "$name whose worker dies before it says whose it is, is stored once more, and the first one goes",
  async ({ act, leaseMs, isDone }) => {
    // Without a conversation there is nobody to send to, and after a day the window is closed.
    await stage.meta.write(CUSTOMER, number, { type: "text", text: "Hello" });
    const before = (await store.heldFiles()).length;
    await deployment.dieAt("file_before_answer", act);
    expect(await store.files()).toHaveLength(before + 1);
    expect(await store.heldFiles()).toHaveLength(before);
    await outlive(leaseMs, isDone);
    const held = await store.heldFiles();
    expect(held.length).toBeGreaterThan(before);
    expect(await store.files()).toHaveLength(held.length + 1);
    await outlive(25 * HOUR_MS, async () => (await store.files()).length === held.length);
    expect((await store.files()).map(({ _id }) => _id).sort()).toEqual(
      held.map(({ storageId }) => storageId).sort(),
    );
  },
);

test("every action that stores a file has its case above", () => {
  const actions = fs
    .readdirSync(path.join(ROOT, "convex"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => fs.readFileSync(path.join(ROOT, "convex", name), "utf8").includes("storage.store("));
  expect(actions.sort()).toEqual(["exports.ts", "mediaNode.ts", "uploadsNode.ts"]);
});
