import { vi } from "vitest";
import * as z from "zod";
import { internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { BUSINESS, inboundText, OTHER_BUSINESS, SITE_URL, startInProcess } from "./in-process";
import { mcpRequest } from "./mcp-request";
import type { Subject } from "./tool-arguments";

/** A second number of the key's own people. */
const SECOND_BUSINESS = {
  name: "Second Shop",
  wabaId: "302290129340398",
  phoneNumberId: "306540352242922",
  phoneNumber: "+15550783883",
};

/** Stands in everything that is of the business of others, so that none of it can be told unseen. */
export const SECRET = "SECRET-OF-OTHERS";

const structured = z.looseObject({
  refused: z.boolean().optional(),
  reason: z.string().optional(),
  numbers: z.array(z.looseObject({ number: z.string() })).optional(),
});
const message = z.looseObject({
  result: z
    .looseObject({ isError: z.boolean().optional(), structuredContent: structured.optional() })
    .optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
});

export type McpWorld = Awaited<ReturnType<typeof openMcpWorld>>;

/**
 * Two numbers that a key may be for, and one of which it may be told nothing, each with a customer who wrote; in front
 * of them the MCP endpoint as a function.
 */
export async function openMcpWorld() {
  const product = await startInProcess();
  const { t } = product.backend;
  const { answerMcp } = await import("../../src/mcp/endpoint");
  const { takeDelivery } = await import("../../src/server/webhook");
  const own = (await product.addBusiness()).id;
  const foreign = (await product.addOtherBusiness()).id;
  await t.mutation(internal.accountsAdmin.insert, {
    ...SECOND_BUSINESS,
    sealId: "none",
    accessTokenSealed: "none",
  });
  await vi.waitFor(
    async () => {
      const templates = await t.run(async (ctx) => await ctx.db.query("templates").collect());
      if (templates.length === 0) throw new Error("Meta's templates are not known yet.");
    },
    { timeout: 10_000 },
  );

  /** A customer writes, and the message has a file. */
  const wrote = async (phone: string, text: string, to: "own" | "other" = "own"): Promise<Subject> => {
    const from = phone.slice(1);
    const { body, signature, wamid } = await inboundText(text, { from, to, name: text });
    const headers = { "x-hub-signature-256": signature };
    await takeDelivery(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
    return await t.run(async (ctx) => {
      const row = (await ctx.db.query("messages").collect()).find((stored) => stored.wamid === wamid);
      if (row === undefined) throw new Error("The message was not stored.");
      const storageId = await ctx.storage.store(new Blob([text], { type: "image/png" }));
      const media = { state: "ready" as const, graphMediaId: "1", mime: "image/png", storageId };
      await ctx.db.patch(row._id, { media });
      return { contact: phone, messageId: row._id, conversationId: row.conversationId };
    });
  };
  const ask = async (key: string, method: string, params: object = {}, query = "") => {
    const response = await answerMcp(mcpRequest(key, method, params, query));
    const text = await response.text();
    return { status: response.status, text, ...(response.ok ? message.parse(JSON.parse(text)) : {}) };
  };
  return {
    product,
    own,
    foreign,
    numbers: {
      own: BUSINESS.phoneNumber,
      second: SECOND_BUSINESS.phoneNumber,
      foreign: OTHER_BUSINESS.phoneNumber,
      unknown: "+19995550000",
    },
    customer: await wrote("+16505551234", "hello there"),
    /** Whoever is handed over to people is not written to by keys any more. */
    handedOver: await wrote("+16505551777", "hello, a person please"),
    stranger: await wrote("+16505550000", `hello ${SECRET}`, "other"),
    ask,
    call: async (key: string, name: string, args: object, query = "") =>
      await ask(key, "tools/call", { name, arguments: args }, query),
    keyWith: async (
      scopes: readonly string[],
      more: { numbers?: string[]; rpm?: number; dailyCap?: number } = {},
    ) => await product.createKey(own, [...scopes], { rpm: 100_000, dailyCap: 100_000, ...more }),
    change: async (
      apiKeyId: string,
      patch: { revokedAt?: number; expiresAt?: number; direction?: "inbound" },
    ) =>
      await t.run(async (ctx) => {
        const id = ctx.db.normalizeId("apiKeys", apiKeyId);
        if (id !== null) await ctx.db.patch(id, patch);
      }),
    /** Messages that left, and those that are to leave. */
    sends: async () => {
      await t.finishInProgressScheduledFunctions();
      const response = await fetch(`${product.simulator.url}/_sim/requests?after=0`);
      // A receipt goes to the same address and is no message.
      const body = z.looseObject({ type: z.string().optional() }).nullish().catch(null);
      const request = z.looseObject({ method: z.string(), path: z.string(), body });
      const { requests } = z.looseObject({ requests: z.array(request) }).parse(await response.json());
      return {
        left: requests.filter(
          ({ method, path, body }) =>
            method === "POST" && path.endsWith("/messages") && body?.type !== undefined,
        ).length,
        queued: (await t.run(async (ctx) => await ctx.db.query("outbox").collect())).length,
      };
    },
    /** All that is stored of an account's customers. */
    stateOf: async (accountId: Id<"accounts">) =>
      await t.run(async (ctx) => {
        const rows = await Promise.all([
          ctx.db.query("conversations").collect(),
          ctx.db.query("messages").collect(),
          ctx.db.query("consentStates").collect(),
          ctx.db.query("readMarks").collect(),
          ctx.db.query("outbox").collect(),
        ]);
        return rows.flat().filter((row) => row.accountId === accountId);
      }),
    close: async () => {
      await (await import("../../src/mcp/audit")).drainAudit();
      await product.stop();
    },
  };
}
