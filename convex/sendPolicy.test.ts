import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CUSTOMER, closeApp, START } from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { addTemplate } from "../tests/support/convex-template";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { FLAGGED_WINDOW_MS } from "./model/flaggedReads";
import { LANE_WAITING_MAX } from "./model/lane";

let talk: OpenConversation;
let good: Common;
beforeEach(async () => {
  talk = await openConversation();
  await addTemplate(talk.app, talk.accountId, { name: "hello", body: "Hello {{1}}!" });
  const [message] = await talk.app.rows("messages");
  good = { contact: `+${CUSTOMER}`, messageId: message?._id ?? "" };
});
afterEach(closeApp);

interface Common {
  from?: string;
  contact: string;
  messageId: string;
  clientRequestId?: string;
  sendTwice?: boolean;
  validateOnly?: boolean;
}

/** Each kind as a key sends it: with a content that fits (`true`) or one that WhatsApp would not take. */
const KINDS = {
  text: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendText, { ...args, text: fits ? "Yes" : "" }),
  template: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendTemplate, {
      ...args,
      name: "hello",
      language: "en_US",
      params: fits ? { body: { 1: "Ana" } } : {},
    }),
  media: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendMedia, {
      ...args,
      media: "image",
      file: { link: fits ? "https://files.test/cake.jpg" : "ftp://files.test/cake.jpg" },
    }),
  interactive: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendInteractive, {
      ...args,
      interactive: { type: "button", body: "Yes?", buttons: fits ? [{ id: "y", title: "Yes" }] : [] },
    }),
  location: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendLocation, { ...args, location: { latitude: fits ? 52 : 520, longitude: 13 } }),
  contacts: (key: Key, { messageId: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendContacts, {
      ...args,
      contacts: fits ? [{ name: { formatted_name: "Ana Lima", first_name: "Ana" } }] : [],
    }),
  reaction: (key: Key, { contact: _, ...args }: Common, fits: boolean) =>
    key.mutation(api.mcp.sendReaction, { ...args, emoji: fits ? "👍" : "two words" }),
};
type Kind = keyof typeof KINDS;
type Key = ReturnType<OpenConversation["app"]["key"]>;

/** Everything that can stand in the way of a send, in the order in which it is told. */
const OBSTACLES = [
  "scope_missing",
  "not_found (number)",
  "idempotency_key_reused",
  "invalid_recipient",
  "human_in_control",
  "blocked",
  "invalid content",
  "window_closed",
  "duplicate_suspected",
  "rate_limited (key)",
  "rate_limited (recipient)",
  "cap_reached",
  "sending_paused",
  "confirmation_required",
] as const;
type Obstacle = (typeof OBSTACLES)[number];

const isMet: Partial<Record<Kind, Partial<Record<Obstacle, false>>>> = {
  // A template is what a closed window leaves.
  template: { window_closed: false },
};

function reasonOf(kind: Kind, obstacle: Obstacle): string {
  if (obstacle === "invalid content") return kind === "template" ? "template_params" : "invalid_message";
  // A reaction names a message; one that is not there is not found.
  if (obstacle === "invalid_recipient" && kind === "reaction") return "not_found";
  return obstacle.replace(/ .*/, "");
}

/**
 * Builds a world in which every obstacle of the list stands at once, from the `first` on: what is told must then be the
 * first. The obstacles in the arguments and those in the rows are independent of each other.
 */
async function meet(kind: Kind, first: Obstacle) {
  const stands = (obstacle: Obstacle) =>
    OBSTACLES.indexOf(obstacle) >= OBSTACLES.indexOf(first) && isMet[kind]?.[obstacle] !== false;
  const { app, accountId, conversationId } = talk;
  const send = KINDS[kind];
  // Two sends come before the one that meets the obstacles.
  const limits = { rpm: stands("rate_limited (key)") ? 2 : 50, dailyCap: stands("cap_reached") ? 2 : 50 };
  const { id } = await app.addKey(accountId, { scopes: ["read", "send"], ...limits });
  const apiKeyId = id;
  // The earlier send that a repeated request id, a repetition and the counters refer to.
  expect(await send(app.key(id), good, true)).toMatchObject({ outcome: "pending" });
  const earlier = { ...good, clientRequestId: "used" };
  expect(await KINDS[kind === "location" ? "text" : "location"](app.key(id), earlier, true)).toMatchObject({
    outcome: "pending",
  });
  await app.cancelScheduled();
  await app.backend.run(async (ctx) => {
    if (stands("scope_missing")) await ctx.db.patch(apiKeyId, { scopes: ["read"] });
    if (stands("human_in_control")) await ctx.db.patch(conversationId, { mode: "human" });
    if (stands("window_closed")) await ctx.db.patch(conversationId, { windowExpiresAt: START });
    if (stands("sending_paused")) {
      await ctx.db.patch(accountId, { sending: { state: "paused", reason: "payment", at: START } });
    }
    if (stands("confirmation_required")) {
      const contactId = await ctx.db.insert("contacts", { accountId, phone: "+16505559999" });
      await ctx.db.insert("flaggedReads", {
        ...{ apiKeyId, accountId, contactId, textHashes: [] },
        ...{ shownAt: START, newAt: START, expiresAt: START + FLAGGED_WINDOW_MS },
      });
    }
    const [row] = await ctx.db.query("outbox").take(1);
    if (row === undefined) throw new Error("Nothing was enqueued.");
    // A hundred rows are only filled in where a neighbour of theirs is met.
    const laneCounts = OBSTACLES.indexOf(first) >= OBSTACLES.indexOf("duplicate_suspected");
    if (laneCounts && stands("rate_limited (recipient)")) {
      const { _id, _creationTime, ...waiting } = row;
      for (let n = 0; n < LANE_WAITING_MAX; n++) await ctx.db.insert("outbox", waiting);
    }
    const conversation = await ctx.db.get(conversationId);
    if (stands("blocked") && conversation !== null) {
      const at = { state: "withdrawn" as const, source: "block" as const, at: START };
      await ctx.db.insert("consentStates", {
        accountId,
        contactId: conversation.contactId,
        all: at,
      });
    }
  });
  const args: Common = {
    ...good,
    ...(stands("not_found (number)") && { from: "+1 999 999 9999" }),
    ...(stands("idempotency_key_reused") && { clientRequestId: "used" }),
    ...(stands("invalid_recipient") && { contact: "the lady from yesterday", messageId: "nothing" }),
    ...(!stands("duplicate_suspected") && { sendTwice: true }),
  };
  return {
    call: (more: Partial<Common>) => send(app.key(id), { ...args, ...more }, !stands("invalid content")),
  };
}

const CELLS = (
  ["text", "template", "media", "interactive", "location", "contacts", "reaction"] as const
).flatMap((kind) =>
  OBSTACLES.filter((obstacle) => isMet[kind]?.[obstacle] !== false).map((obstacle) => ({ kind, obstacle })),
);

describe("whoever meets several obstacles at once is told the first", () => {
  it.each(CELLS)("$kind: $obstacle", async ({ kind, obstacle }) => {
    const { call } = await meet(kind, obstacle);
    const before = { sends: await talk.app.rows("outbox"), messages: await talk.app.rows("messages") };
    for (const validateOnly of [true, false]) {
      const answer = await call({ validateOnly });
      expect(answer).toMatchObject({ refused: true, reason: reasonOf(kind, obstacle) });
      // The two rates share a reason, but not a sentence.
      const ofRecipient =
        "message" in answer && answer.message.includes("to this customer are still waiting");
      expect(ofRecipient).toBe(obstacle === "rate_limited (recipient)");
    }
    // Nothing is partly applied.
    expect(await talk.app.rows("outbox")).toEqual(before.sends);
    expect(await talk.app.rows("messages")).toEqual(before.messages);
  });
});

describe("a refusal helps on", () => {
  it("names the templates that a closed window leaves, and those like the one that was meant", async () => {
    const { id } = await talk.app.addKey(talk.accountId);
    await addTemplate(talk.app, talk.accountId, { name: "order_shipped", body: "Shipped." });
    await addTemplate(talk.app, talk.accountId, { name: "gone", body: "Gone.", status: "REJECTED" });
    await talk.app.backend.run(async (ctx) => {
      await ctx.db.patch(talk.conversationId, { windowExpiresAt: START });
    });
    const closed = await talk.sendByKey(id);
    expect(closed).toMatchObject({ reason: "window_closed", next_step: expect.stringContaining("template") });
    const names = "templates" in closed ? closed.templates?.map(({ name }) => name) : [];
    expect(names?.sort()).toEqual(["hello", "order_shipped"]);
    const unknown = await talk.app.key(id).mutation(api.mcp.sendTemplate, {
      contact: `+${CUSTOMER}`,
      name: "order_shiped",
      language: "en_US",
    });
    expect(unknown).toMatchObject({ reason: "template_unknown", templates: [{ name: "order_shipped" }, {}] });
  });

  it("says what every other refusal asks for", async () => {
    for (const obstacle of [
      "human_in_control",
      "blocked",
      "duplicate_suspected",
      "sending_paused",
      "confirmation_required",
    ] as const) {
      closeApp();
      talk = await openConversation();
      const [message] = await talk.app.rows("messages");
      good = { contact: `+${CUSTOMER}`, messageId: message?._id ?? "" };
      const { call } = await meet("text", obstacle);
      expect(await call({})).toMatchObject({ next_step: expect.any(String) });
    }
  });
});

describe("a template to a number that never wrote", () => {
  const stranger = "+4915112345678";

  it("begins contact and conversation with the send, and only then", async () => {
    const { id } = await talk.app.addKey(talk.accountId);
    const template = { contact: stranger, name: "hello", language: "en_US", params: { body: { 1: "Eva" } } };
    const key = talk.app.key(id);
    expect(await key.mutation(api.mcp.sendTemplate, { ...template, validateOnly: true })).toEqual({
      valid: true,
    });
    expect(await talk.app.rows("contacts")).toHaveLength(1);
    const answer = await key.mutation(api.mcp.sendTemplate, template);
    expect(answer).toMatchObject({ outcome: "pending" });
    await talk.app.advance();
    expect(talk.app.graph.sends).toMatchObject([{ to: stranger, type: "template" }]);
    const conversationId = ("conversationId" in answer ? answer.conversationId : "") as Id<"conversations">;
    expect((await talk.app.rows("conversations")).map(({ _id }) => _id)).toContain(conversationId);
    await talk.app.receive("Who is this?", { from: "4915112345678" });
    expect(await talk.app.rows("contacts")).toHaveLength(2);
    expect(await talk.app.rows("conversations")).toHaveLength(2);
  });
});
