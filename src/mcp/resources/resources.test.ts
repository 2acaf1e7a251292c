import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { internal } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";
import {
  BUSINESS,
  type InProcess,
  inboundText,
  OTHER_BUSINESS,
  SITE_URL,
  startInProcess,
} from "../../../tests/support/in-process";
import { mcpRequest } from "../../../tests/support/mcp-request";

const PICTURE = Buffer.from("iVBORw0KGgo=", "base64");
const LARGE = Buffer.alloc(2 * 1024 * 1024 + 1);

const TEMPLATES = `pons://templates/${BUSINESS.phoneNumber.slice(1)}`;
const FOREIGN_TEMPLATES = `pons://templates/${OTHER_BUSINESS.phoneNumber.slice(1)}`;

let product: InProcess;
let own: Id<"accounts">;
let answerMcp: typeof import("../endpoint").answerMcp;
/** Files by the address under which Convex would serve them. */
const files = new Map<string, Buffer>();

beforeAll(async () => {
  product = await startInProcess();
  ({ answerMcp } = await import("../endpoint"));
  own = (await product.addBusiness()).id;
  await product.addOtherBusiness();
  await vi.waitFor(
    async () => {
      const rows = await product.backend.t.run(async (ctx) => await ctx.db.query("templates").collect());
      expect(rows).not.toEqual([]);
    },
    { timeout: 10_000 },
  );
  const outside = globalThis.fetch;
  // Convex's file host, which convex-test names but does not have.
  vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes("/api/storage/")) return await outside(input, init);
    const file = files.get(url);
    return new Response(file === undefined ? null : new Uint8Array(file), { status: file ? 200 : 404 });
  });
}, 60_000);
afterAll(async () => {
  vi.unstubAllGlobals();
  await (await import("../audit")).drainAudit();
  await product.stop();
}, 60_000);

/** A message whose file is stored; its id. */
async function messageWith(file: Buffer, to: "own" | "other" = "own"): Promise<Id<"messages">> {
  const { takeDelivery } = await import("../../server/webhook");
  const { body, signature, wamid } = await inboundText("A picture", { to });
  const headers = { "x-hub-signature-256": signature };
  await takeDelivery(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
  return await product.backend.t.run(async (ctx) => {
    const message = (await ctx.db.query("messages").collect()).find((row) => row.wamid === wamid);
    if (message === undefined) throw new Error("no message");
    const storageId = await ctx.storage.store(new Blob([new Uint8Array(file)], { type: "image/png" }));
    const media = { state: "ready" as const, graphMediaId: "1", mime: "image/png", storageId };
    await ctx.db.patch(message._id, { type: "image", media });
    files.set((await ctx.storage.getUrl(storageId)) ?? "", file);
    return message._id;
  });
}

const answer = z.looseObject({
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
  result: z
    .looseObject({ contents: z.array(z.looseObject({ uri: z.string(), mimeType: z.string() })).optional() })
    .optional(),
});

const keyWith = async (scopes: string[]) => await product.createKey(own, scopes, { rpm: 10_000 });

async function read(key: string, uri: string) {
  const response = await answerMcp(mcpRequest(key, "resources/read", { uri }));
  return { status: response.status, ...(response.ok ? answer.parse(await response.json()) : {}) };
}

/** What a read of a URI that names nothing is answered with, for this URI. */
const missing = async (key: string, uri: string) => {
  const kind = uri.split("/").slice(0, -1).join("/");
  const text = JSON.stringify(await read(key, `${kind}/19995550000`));
  return JSON.parse(text.replaceAll(`${kind}/19995550000`, uri));
};

describe("the file of a message", () => {
  it("is its bytes under its own type", async () => {
    const uri = `pons://media/${await messageWith(PICTURE)}`;
    const { result } = await read((await keyWith(["read"])).key, uri);
    expect(result?.contents).toEqual([{ uri, mimeType: "image/png", blob: PICTURE.toString("base64") }]);
  });

  it("is missing for whom it is not: another business, another scope, a text, one taken back", async () => {
    const [mine, foreign] = [await messageWith(PICTURE), await messageWith(PICTURE, "other")];
    const text = await messageWith(PICTURE);
    const revoked = await messageWith(PICTURE);
    await product.backend.t.run(async (ctx) => {
      await ctx.db.patch(text, { media: undefined });
      await ctx.db.patch(revoked, { revokedAt: Date.now() });
    });
    const { key } = await keyWith(["read"]);
    for (const id of [foreign, text, revoked, "nonsense"]) {
      const uri = `pons://media/${id}`;
      expect(await read(key, uri)).toEqual(await missing(key, uri));
    }
    for (const scopes of [["send"], ["conversations:read"], ["templates:read"], ["write"]]) {
      const other = await keyWith(scopes);
      const uri = `pons://media/${mine}`;
      expect(await read(other.key, uri), scopes.join()).toEqual(await missing(other.key, uri));
    }
  });

  it("is not handed over when it is too large, or not at its place", async () => {
    const { key } = await keyWith(["read"]);
    const large = `pons://media/${await messageWith(LARGE)}`;
    expect(await read(key, large)).toMatchObject({ error: { code: expect.any(Number) } });
    const gone = await messageWith(PICTURE);
    files.clear();
    expect(await read(key, `pons://media/${gone}`)).toEqual(await missing(key, `pons://media/${gone}`));
  });
});

describe("the templates of a number", () => {
  it("are what list_templates gives", async () => {
    const { key } = await keyWith(["templates:read"]);
    const { result } = await read(key, TEMPLATES);
    const [content] = result?.contents ?? [];
    expect(content).toMatchObject({ uri: TEMPLATES, mimeType: "application/json" });
    const listed = await answerMcp(
      mcpRequest(key, "tools/call", { name: "list_templates", arguments: { limit: 50 } }),
    );
    const { structuredContent } = (await listed.json()).result;
    expect(JSON.parse(String(content?.["text"]))).toEqual({ ...structuredContent, has_more: false });
    expect(structuredContent.templates[0]).toMatchObject({ usable: true, params_schema: { type: "object" } });
  });

  it("are missing for whom they are not", async () => {
    const { key } = await keyWith(["read"]);
    expect(await read(key, FOREIGN_TEMPLATES)).toEqual(await missing(key, FOREIGN_TEMPLATES));
    for (const scopes of [["send"], ["messages:read"], ["conversations:read"]]) {
      const other = await keyWith(scopes);
      expect(await read(other.key, TEMPLATES)).toEqual(await missing(other.key, TEMPLATES));
    }
  });
});

describe("every resource", () => {
  it("is closed with its key", async () => {
    const { key, id } = await keyWith(["read"]);
    const uris = [
      TEMPLATES,
      `pons://media/${await messageWith(PICTURE)}`,
      "pons://policy",
      "pons://accounts",
    ];
    for (const uri of uris) expect((await read(key, uri)).status, uri).toBe(200);
    await product.backend.t.mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    for (const uri of uris) expect((await read(key, uri)).status, uri).toBe(401);
  });

  it("is listed, or named by its template, only for whom it can be", async () => {
    const listed = async (scopes: string[]) => {
      const { key } = await keyWith(scopes);
      const [list, templates] = await Promise.all(
        ["resources/list", "resources/templates/list"].map(
          async (method) => (await (await answerMcp(mcpRequest(key, method))).json()).result,
        ),
      );
      const kindOf = (uri: string) => uri.replace(/^pons:\/\/(\w+).*?(\/messages)?(\{.*)?$/, "$1$2");
      return {
        list: new Set(list.resources.map(({ uri }: { uri: string }) => kindOf(uri))),
        templates: templates.resourceTemplates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate),
      };
    };
    expect(await listed(["send"])).toEqual({ list: new Set(["accounts", "policy"]), templates: [] });
    expect(await listed(["templates:read"])).toEqual({
      list: new Set(["accounts", "policy", "templates"]),
      templates: ["pons://templates/{number}"],
    });
    expect((await listed(["messages:read"])).templates).toEqual([
      "pons://accounts/{number}/messages{?since}",
      "pons://conversations/{id}",
      "pons://media/{message_id}",
    ]);
    expect((await listed(["read"])).list).toEqual(
      new Set(["accounts", "policy", "accounts/messages", "templates", "conversations"]),
    );
  });
});
