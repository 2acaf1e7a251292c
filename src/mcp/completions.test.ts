import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import type { Id } from "../../convex/_generated/dataModel";
import { templateRowOf } from "../../tests/support/convex-template";
import {
  BUSINESS,
  type InProcess,
  inboundText,
  OTHER_BUSINESS,
  SITE_URL,
  startInProcess,
} from "../../tests/support/in-process";
import { mcpRequest } from "../../tests/support/mcp-request";

const ANA = "+16505550001";
const ANABEL = "+16505550002";
const BOB = "+16505550003";
const FOREIGN_ANA = "+16505550009";

const DRAFT = { type: "ref/prompt", name: "draft_reply" };
const MESSAGES = { type: "ref/resource", uri: "pons://accounts/{number}/messages{?since}" };
const CONVERSATION = { type: "ref/resource", uri: "pons://conversations/{id}" };

let product: InProcess;
let own: Id<"accounts">;
let answerMcp: typeof import("./endpoint").answerMcp;

beforeAll(async () => {
  product = await startInProcess();
  ({ answerMcp } = await import("./endpoint"));
  own = (await product.addBusiness()).id;
  const foreign = (await product.addOtherBusiness()).id;
  await writes("Ana Lima", ANA);
  await writes("Anabel Cruz", ANABEL);
  await writes("Bob", BOB);
  await writes("Ana Fremd", FOREIGN_ANA, "other");
  // Meta's list is read in the background, and what it does not have is removed.
  await vi.waitFor(async () => expect((await templates()).length).toBeGreaterThan(0), { timeout: 10_000 });
  await product.backend.t.run(async (ctx) => {
    for (const [accountId, name, language] of [
      [own, "order_shipped", "en_US"],
      [own, "order_shipped", "de"],
      [own, "order_lost", "en_US"],
      [foreign, "order_of_others", "en_US"],
    ] as const) {
      await ctx.db.insert("templates", templateRowOf(accountId, { name, language, body: "Hello" }));
    }
  });
}, 60_000);
afterAll(async () => {
  await (await import("./audit")).drainAudit();
  await product.stop();
}, 60_000);

const templates = async () =>
  await product.backend.t.run(async (ctx) => await ctx.db.query("templates").collect());

async function writes(name: string, phone: string, to: "own" | "other" = "own") {
  const { takeDelivery } = await import("../server/webhook");
  const { body, signature } = await inboundText("Hello", { name, to, from: phone.slice(1) });
  const headers = { "x-hub-signature-256": signature };
  await takeDelivery(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
}

const answer = z.looseObject({
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
  result: z
    .looseObject({
      completion: z.strictObject({
        values: z.array(z.string()),
        total: z.number().optional(),
        hasMore: z.boolean(),
      }),
    })
    .optional(),
});

async function keyWith(scopes: string[], numbers?: string[]): Promise<string> {
  const { key } = await product.createKey(own, scopes, { rpm: 10_000, ...(numbers && { numbers }) });
  return key;
}

/** Asks for the values of one argument. */
async function ask(
  key: string,
  ref: { type: string; name?: string; uri?: string },
  [name, value]: [string, string],
  chosen: Record<string, string> = {},
) {
  const params = { ref, argument: { name, value }, context: { arguments: chosen } };
  const response = await answerMcp(mcpRequest(key, "completion/complete", params));
  return answer.parse(await response.json());
}
const valuesOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).result?.completion.values;

describe("the customer of a prompt", () => {
  it("is found by name, number and id, and is always given as what the tools take", async () => {
    const key = await keyWith(["read"]);
    for (const [typed, found] of [
      ["", [BOB, ANABEL, ANA]],
      ["ana", [ANABEL, ANA]],
      ["ANA L", [ANA]],
      ["+1 (650) 555-00 03", [BOB]],
      ["5550002", [ANABEL]],
      ["nobody", []],
    ] as const) {
      expect((await valuesOf(key, DRAFT, ["contact", typed]))?.toSorted(), typed).toEqual(found.toSorted());
    }
  });

  it("is looked for among all customers of a number, not only those of late", async () => {
    const key = await keyWith(["read"]);
    await product.backend.t.run(async (ctx) => {
      const [row] = await ctx.db.query("conversations").collect();
      const [contact] = await ctx.db.query("contacts").collect();
      if (row === undefined || contact === undefined) throw new Error("no conversation");
      const { _id, _creationTime, ...conversation } = row;
      const { _id: _, _creationTime: __, ...person } = contact;
      for (let n = 0; n < 101; n++) {
        const phone = `+1650556${1000 + n}`;
        const contactId = await ctx.db.insert("contacts", {
          ...person,
          accountId: own,
          profileName: `Z${n}`,
          phone,
        });
        const later = { lastMessageAt: Date.now() + 1_000 + n, accountId: own, contactId };
        await ctx.db.insert("conversations", { ...conversation, ...later });
      }
    });
    const all = await ask(key, DRAFT, ["contact", ""]);
    expect(all.result?.completion.values).toHaveLength(100);
    expect(all.result?.completion).toMatchObject({ hasMore: true });
    expect(all.result?.completion).not.toHaveProperty("total");
    expect(await valuesOf(key, DRAFT, ["contact", "Ana Lima"])).toEqual([ANA]);
  });

  it("is nobody for a key that may not see who wrote, and nobody of another business", async () => {
    const sender = await keyWith(["send"]);
    expect(await ask(sender, DRAFT, ["contact", "ana"])).toMatchObject({ error: { code: -32_602 } });
    const threads = await keyWith(["messages:read"]);
    expect(await valuesOf(threads, DRAFT, ["contact", "ana"])).toEqual([]);
    const key = await keyWith(["read"]);
    expect(await valuesOf(key, DRAFT, ["contact", "Fremd"])).toEqual([]);
    const of = async (from: string) => await ask(key, DRAFT, ["contact", ""], { from });
    expect(await of(OTHER_BUSINESS.phoneNumber)).toEqual(await of("+19995550000"));
    expect((await of(OTHER_BUSINESS.phoneNumber)).result?.completion).toEqual({
      values: [],
      total: 0,
      hasMore: false,
    });
  });

  it("is of the number that was chosen, where the key has several", async () => {
    const key = await keyWith(["read"], [BUSINESS.phoneNumber, OTHER_BUSINESS.phoneNumber]);
    expect(await valuesOf(key, DRAFT, ["contact", "ana"])).toEqual([]);
    const from = OTHER_BUSINESS.phoneNumber;
    expect(await valuesOf(key, DRAFT, ["contact", "ana"], { from })).toEqual([FOREIGN_ANA]);
  });

  it("is nobody for a text that is longer than any name", async () => {
    const key = await keyWith(["read"]);
    expect(await valuesOf(key, DRAFT, ["contact", "a".repeat(257)])).toEqual([]);
  });
});

describe("the template of a prompt", () => {
  it("is found by a part of its name, and named once in however many languages it is", async () => {
    const key = await keyWith(["read"]);
    expect((await valuesOf(key, DRAFT, ["template", "ORDER"]))?.toSorted()).toEqual([
      "order_lost",
      "order_shipped",
      "order_update",
    ]);
    const all = await valuesOf(key, DRAFT, ["template", ""]);
    expect(all).toContain("hello_world");
    expect(all).not.toContain("order_of_others");
  });

  it("is none for a key that may not see templates", async () => {
    expect(await valuesOf(await keyWith(["messages:read"]), DRAFT, ["template", "order"])).toEqual([]);
  });
});

describe("the business number", () => {
  it("is one of the key's own, found by its digits or by what it is called", async () => {
    const one = await keyWith(["read"]);
    const both = await keyWith(["read"], [BUSINESS.phoneNumber, OTHER_BUSINESS.phoneNumber]);
    for (const typed of ["", "1555", "lucky"]) {
      expect(await valuesOf(one, MESSAGES, ["number", typed])).toEqual([BUSINESS.phoneNumber]);
    }
    expect(await valuesOf(one, MESSAGES, ["number", "other shop"])).toEqual([]);
    expect(await valuesOf(both, DRAFT, ["from", "shop"])).toEqual([OTHER_BUSINESS.phoneNumber]);
  });
});

describe("the id of a conversation", () => {
  it("is one that can be read, found by who is in it", async () => {
    const key = await keyWith(["read"]);
    const [id, ...others] = (await valuesOf(key, CONVERSATION, ["id", "Z7"])) ?? [];
    expect(others.length).toBeGreaterThan(0);
    const read = await answerMcp(mcpRequest(key, "resources/read", { uri: `pons://conversations/${id}` }));
    expect(await read.json()).toHaveProperty("result.contents");
    expect(await valuesOf(key, CONVERSATION, ["id", "Fremd"])).toEqual([]);
  });
});

describe("a reference", () => {
  it("that is not there, or not for this key, is refused; one without such an argument has no values", async () => {
    const key = await keyWith(["conversations:read"]);
    for (const ref of [
      { type: "ref/prompt", name: "no_such_prompt" },
      { type: "ref/resource", uri: "pons://nothing/{id}" },
      { type: "ref/resource", uri: "pons://templates/{number}" },
      DRAFT,
    ]) {
      const { error } = await ask(key, ref, ["contact", ""]);
      expect(error, JSON.stringify(ref)).toEqual({ code: -32_602, message: "There is no such reference." });
    }
    const triage = { type: "ref/prompt", name: "triage_inbox" };
    expect(await valuesOf(key, triage, ["contact", "ana"])).toEqual([]);
    expect(await valuesOf(key, triage, ["constructor", ""])).toEqual([]);
    expect(await valuesOf(key, triage, ["from", ""])).toEqual([BUSINESS.phoneNumber]);
  });
});
