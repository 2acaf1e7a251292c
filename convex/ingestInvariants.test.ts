import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signatureHeader } from "#shared/signature";
import { conversationFacts, deliveryOf } from "../tests/support/conversation-facts";
import {
  APP_SECRET,
  type App,
  bytesOf,
  CUSTOMER,
  change,
  closeApp,
  NUMBER,
  openApp,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { eventsAfter } from "./model/events";

let app: App;
let accountId: Id<"accounts">;
const open = async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
};
beforeEach(open);
afterEach(() => {
  vi.restoreAllMocks();
  closeApp();
});

const post = async (body: ArrayBuffer, signature: string | null) =>
  await app.backend.fetch("/webhook", {
    method: "POST",
    body,
    headers: signature === null ? {} : { "x-hub-signature-256": signature },
  });
const signed = async (payload: unknown) => {
  const body = bytesOf(payload);
  return { body, signature: await signatureHeader(APP_SECRET, body) };
};
/** The stored bytes of every verified body, in the order in which they came. */
const storedBodies = async () => {
  const parts = await app.rows("webhookBodies");
  return (await app.rows("webhookLogs")).map(({ _id }) => {
    const own = parts.filter(({ logId }) => logId === _id).sort((a, b) => a.part - b.part);
    return own.flatMap(({ bytes }) => [...new Uint8Array(bytes)]);
  });
};
const bytes = (body: ArrayBuffer) => [...new Uint8Array(body)];
const call = {
  id: "wacid.1",
  from: CUSTOMER,
  event: "connect",
  direction: "USER_INITIATED",
  timestamp: "1793613600",
};
/** Deliveries of every sort: one item, many, unreadable, for nobody, twice. */
const DELIVERIES: unknown[] = [
  ...conversationFacts(CUSTOMER).map((fact) => deliveryOf(CUSTOMER, [fact])),
  deliveryOf("16505550002", conversationFacts("16505550002").toReversed()),
  webhook(
    Array.from({ length: 70 }, (_, n) =>
      textMessage({ id: `wamid.BULK${n}`, from: "16505550003", text: `${n}` }),
    ),
  ),
  webhook([textMessage({ id: "wamid.A" }), 7, { type: "text" }, textMessage({ id: "wamid.A" })]),
  { entry: [{ id: NUMBER.wabaId, changes: [change(NUMBER.phoneNumberId, { calls: [call] }, "calls")] }] },
  `"phone_number_id":"${NUMBER.phoneNumberId}" not JSON`,
];
const deliverAll = async () => {
  for (const payload of DELIVERIES) expect(await app.deliver(payload)).toBe("accepted");
  await app.advance();
};

describe("I1", () => {
  it("every 200 has its exact bytes stored", async () => {
    const answered: number[][] = [];
    for (const payload of DELIVERIES) {
      const { body, signature } = await signed(payload);
      expect((await post(body, signature)).status).toBe(200);
      answered.push(bytes(body));
    }
    expect(await storedBodies()).toEqual(answered);
  });
});

describe("I2", () => {
  it("every stored body reaches an end within 5 seconds, and each of its items has one", async () => {
    for (const payload of DELIVERIES) await app.deliver(payload);
    await app.advance(5_000);
    const items = await app.rows("webhookItems");
    for (const log of await app.rows("webhookLogs")) {
      expect(["processed", "partial", "dead"]).toContain(log.state);
      expect(items.filter(({ logId }) => logId === log._id)).toHaveLength(log.itemCount);
    }
  });
});

describe("I3", () => {
  it("there are as many messages as distinct ids of messages in the verified bodies", async () => {
    await deliverAll();
    const wamids = (await app.rows("messages")).map(({ wamid }) => wamid);
    expect(new Set(wamids).size).toBe(wamids.length);
    // Of each conversation's facts three are messages; 70 in bulk, one beside the poison, one call.
    expect(wamids).toHaveLength(3 + 3 + 70 + 1 + 1);
  });
});

describe("I4", () => {
  /** Everything that a member, a key or a target can see, without our own ids and clock. */
  const publicState = async () => {
    const paginationOpts = { numItems: 100, cursor: null };
    const as = app.user("ana");
    const { page } = await as.query(api.conversations.list, { accountId, paginationOpts });
    const threads = await Promise.all(
      page.map(
        async ({ _id }) =>
          (await as.query(api.messages.list, { accountId, conversationId: _id, paginationOpts })).page,
      ),
    );
    const events = await app.backend.run(async (ctx) =>
      (await eventsAfter(ctx, accountId, 0, 60)).map(({ body }): unknown => JSON.parse(body)),
    );
    const duplicates = (await app.rows("contactDuplicates")).length;
    return JSON.stringify({ page, threads, events, duplicates }, (key, value) =>
      /^(_id|id|accountId|conversationId|contactId)$/.test(key) ? undefined : value,
    );
  };

  it("replaying all stored bodies into an empty database gives the same public state", async () => {
    await deliverAll();
    const before = await publicState();
    const bodies = await storedBodies();
    closeApp();
    await open();
    for (const body of bodies) {
      const raw = new Uint8Array(body).buffer;
      expect(await app.ingest(raw, await signatureHeader(APP_SECRET, raw))).toBe("accepted");
    }
    await app.advance();
    expect(before.length).toBeGreaterThan(10_000);
    expect(await publicState()).toBe(before);
  });
});

describe("I5", () => {
  it("nothing changes a stored body, and of its log only state, counters and retention fields change", async () => {
    const frozen = async () =>
      (await app.rows("webhookLogs")).map(({ _id, sha256, signedBy, accountIds, receivedAt, bodyBytes }) => [
        ...[_id, sha256, signedBy, accountIds, receivedAt, bodyBytes],
      ]);
    for (const payload of DELIVERIES) await app.deliver(payload);
    const before = [await frozen(), await app.rows("webhookBodies")];
    await app.advance();
    for (const payload of DELIVERIES) await app.deliver(payload);
    for (const { _id } of await app.rows("webhookItems"))
      await app.backend.mutation(internal.ingest.reapplyItem, { itemId: _id });
    await app.backend.mutation(internal.ingest.reapply, {});
    await app.advance();
    expect([await frozen(), await app.rows("webhookBodies")]).toEqual(before);
  });
});

describe("I6", () => {
  it.each([
    ["a number", 7],
    ["an object without anything", {}],
    [
      "a message that is nested too deep",
      { id: "wamid.X", type: "x", x: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) },
    ],
    ["a reaction to nothing", { ...textMessage({ id: "wamid.X" }), type: "reaction", reaction: {} }],
  ])("%s anywhere in a batch changes nothing about the others", async (_, poison) => {
    const good: unknown[] = [1, 2, 3].map((n) => textMessage({ id: `wamid.G${n}`, text: `${n}` }));
    for (let place = 0; place <= good.length; place++) {
      closeApp();
      await open();
      await app.deliver(webhook(good.toSpliced(place, 0, poison)));
      expect((await app.rows("messages")).map(({ text }) => text)).toEqual(["1", "2", "3"]);
      const states = (await app.rows("webhookItems")).map(({ state }) => state);
      expect(states.toSpliced(place, 1)).toEqual(["processed", "processed", "processed"]);
      expect(states[place]).toBe("dead");
    }
  });
});

describe("I7", () => {
  it("what is for a number that is not here, or switched off, is stored with the reason", async () => {
    await app.deliver({
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [
            change(NUMBER.phoneNumberId, { messages: [textMessage()] }),
            change("404", { messages: [textMessage()] }),
          ],
        },
      ],
    });
    await app.backend.run(async (ctx) => await ctx.db.patch(accountId, { state: "disabled" }));
    await app.receive("switched off");
    vi.stubEnv("FACEBOOK_APP_SECRET", "of-the-deployment");
    await app.deliver(webhook([textMessage()], { phoneNumberId: "405" }), "of-the-deployment");
    const outcomes = (await app.rows("webhookItems")).map(({ state, reason }) => [state, reason]);
    expect(outcomes).toEqual([
      ["processed", undefined],
      ["dead", "unknown_number"],
      ["dead", "account_disabled"],
      ["dead", "unknown_number"],
    ]);
    expect(await app.rows("webhookBodies")).toHaveLength(3);
  });
});

describe("I8", () => {
  it("a body is parsed only after its signature was verified", async () => {
    const marked = bytesOf(webhook([textMessage({ text: "parsed-before-verified" })]));
    const parse = vi.spyOn(JSON, "parse");
    const wasParsed = () =>
      parse.mock.calls.some(([text]) => String(text).includes('"body":"parsed-before-verified"'));
    expect(await app.ingest(marked, `sha256=${"0".repeat(64)}`)).toBe("unauthorized");
    expect(await app.ingest(marked, null)).toBe("unauthorized");
    expect(wasParsed()).toBe(false);
    expect(await app.ingest(marked, await signatureHeader(APP_SECRET, marked))).toBe("accepted");
    expect(wasParsed()).toBe(true);
  });

  it("a hostile body without a signature costs nothing and leaves nothing", async () => {
    for (const text of [
      "[".repeat(1_000_000),
      `"phone_number_id":"1"`.repeat(50_000),
      "\u0000".repeat(1_000),
    ]) {
      expect(await app.ingest(bytesOf(text), `sha256=${"0".repeat(64)}`)).toBe("unauthorized");
    }
    expect(await app.rows("webhookLogs")).toEqual([]);
  });
});

describe("I9", () => {
  it("an unknown number and a wrong signature are answered alike, byte for byte", async () => {
    const body = bytesOf(webhook([textMessage()]));
    const unknown = bytesOf(webhook([textMessage()], { phoneNumberId: "404" }));
    const answers = [
      await post(body, `sha256=${"0".repeat(64)}`),
      await post(body, "sha256=short"),
      await post(body, null),
      await post(unknown, await signatureHeader(APP_SECRET, unknown)),
      await post(unknown, `sha256=${"0".repeat(64)}`),
    ];
    const shown = await Promise.all(
      answers.map(async (answer) => [answer.status, await answer.text(), [...answer.headers].sort()]),
    );
    for (const answer of shown) expect(answer).toEqual(shown[0]);
    expect(shown[0]?.[0]).toBe(401);
  });
});

describe("I10", () => {
  it("no log line holds a body, a token, a secret or a signature", async () => {
    const lines: string[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const)
      vi.spyOn(console, level).mockImplementation((...words) => void lines.push(words.map(String).join(" ")));
    const texts = ["private-words", "more-private-words"];
    const bodies = [
      webhook(texts.map((text) => textMessage({ text }))),
      `private-words "phone_number_id":"${NUMBER.phoneNumberId}"`,
    ];
    const seen = [...texts, CUSTOMER, APP_SECRET, "graph-token"];
    for (const payload of bodies) {
      const { body, signature } = await signed(payload);
      seen.push(signature.slice(7));
      await post(body, signature);
      await post(body, `sha256=${"ab".repeat(32)}`);
    }
    seen.push("ab".repeat(32));
    for (const word of seen) expect(lines.filter((line) => line.includes(word))).toEqual([]);
  });
});
