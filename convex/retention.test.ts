import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  networkError,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";

const DAY = 86_400_000;

let app: App;
beforeEach(async () => {
  app = openApp();
  await app.addAccount();
});
afterEach(closeApp);

const clean = async () => {
  await app.backend.mutation(internal.retention.run, {});
  await app.advance();
};

describe("what is past its time", () => {
  it("raw bodies go after 30 days, their digests and the messages stay", async () => {
    for (let n = 0; n < 8; n++) await app.receive(`${n}`);
    await app.advance(30 * DAY - 1);
    await clean();
    expect(await app.rows("webhookBodies")).toHaveLength(8);
    await app.advance(2);
    await clean();
    expect(await app.rows("webhookBodies")).toEqual([]);
    expect(await app.rows("webhookItems")).toEqual([]);
    expect(
      (await app.rows("webhookLogs")).every(({ bodyStored, sha256 }) => !bodyStored && sha256.length === 64),
    ).toBe(true);
    expect(await app.rows("messages")).toHaveLength(8);
  });

  it("statuses that never found their message go after 7 days; those that did stay", async () => {
    const [account] = await app.rows("accounts");
    if (account === undefined) throw new Error("no account");
    const { id } = await app.addKey(account._id);
    await app.receive("Hello");
    await app.key(id).mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Hi" });
    await app.advance();
    await app.deliver(
      statusWebhook([status("sent", "wamid.SENT1", START), status("sent", "wamid.STRANGE", START)]),
    );
    await app.advance(7 * DAY + 1);
    await clean();
    expect((await app.rows("messageStatuses")).map(({ wamid }) => wamid)).toEqual(["wamid.SENT1"]);
  });

  it("reactions, edits and revocations whose message never came go after 7 days; those that found it stay", async () => {
    const about = (target: string) => [
      {
        ...textMessage({ id: `wamid.react.${target}` }),
        type: "reaction",
        reaction: { message_id: target, emoji: "👍" },
      },
      {
        ...textMessage({ id: `wamid.edit.${target}` }),
        type: "edit",
        edit: { original_message_id: target, message: { type: "text", text: { body: "I want 12" } } },
      },
      {
        ...textMessage({ id: `wamid.revoke.${target}` }),
        type: "revoke",
        revoke: { original_message_id: target },
      },
    ];
    await app.deliver(webhook([...about("wamid.LATE"), ...about("wamid.NEVER")]));
    await app.advance(7 * DAY - 1);
    await clean();
    await app.receive("I want 10", { id: "wamid.LATE" });
    await app.deliver(webhook(about("wamid.LATE").map((message) => ({ ...message, id: `${message.id}.2` }))));
    await app.advance(2);
    const outcomes = async () => (await app.rows("webhookItems")).map(({ state, reason }) => [state, reason]);
    const before = await outcomes();
    await clean();
    expect((await app.rows("reactions")).map(({ wamid }) => wamid)).toEqual([
      "wamid.react.wamid.LATE",
      "wamid.react.wamid.LATE.2",
    ]);
    expect((await app.rows("messageEdits")).map(({ targetWamid }) => targetWamid)).not.toContain(
      "wamid.NEVER",
    );
    expect(await app.rows("messageEdits")).toHaveLength(5);
    expect((await app.rows("messages"))[0]).toMatchObject({
      text: "I want 12",
      reactions: [{ emoji: "👍" }],
    });
    expect(await outcomes()).toEqual(before);
    await app.advance(8 * DAY);
    await clean();
    expect(await app.rows("messageEdits")).toHaveLength(5);
    expect(await app.rows("reactions")).toHaveLength(2);
  });

  it("a client_request_id is forgotten after a day, but not while the outcome of its send is unknown", async () => {
    const [account] = await app.rows("accounts");
    if (account === undefined) throw new Error("no account");
    const { id } = await app.addKey(account._id);
    await app.receive("Hello");
    app.graph.answerNext(networkError("ECONNRESET"));
    const send = (clientRequestId: string, text: string) =>
      app.key(id).mutation(api.mcp.sendText, { contact: CUSTOMER, text, clientRequestId });
    await send("unknown", "a");
    await app.advance();
    await app.advance(31_000);
    await send("accepted", "b");
    await app.advance();
    await app.advance(DAY + 1);
    await clean();
    expect((await app.rows("sendRequests")).map(({ clientRequestId }) => clientRequestId)).toEqual([
      "unknown",
    ]);
  });
});

describe("an account's own rules", () => {
  const setRules = async (retention: { rawBodyDays?: number; auditDays?: number; eventDays?: number }) => {
    const [account] = await app.rows("accounts");
    if (account === undefined) throw new Error("no account");
    await app.join(account._id, "ana", "owner");
    await app.user("ana").mutation(api.accountRules.set, { accountId: account._id, rules: { retention } });
  };

  it("remove its raw bodies sooner, or keep them longer, and leave those of others to theirs", async () => {
    await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await setRules({ rawBodyDays: 7 });
    await app.receive("short");
    await app.receive("usual", { phoneNumberId: "900" });
    await app.advance(8 * DAY);
    await clean();
    expect(await app.rows("webhookBodies")).toHaveLength(1);
    expect(await app.rows("messages")).toHaveLength(2);
  });

  it("keep raw bodies longer than usual", async () => {
    await setRules({ rawBodyDays: 90 });
    await app.receive("long");
    await app.advance(60 * DAY);
    await clean();
    expect(await app.rows("webhookBodies")).toHaveLength(1);
  });

  it("with 0 days let a raw body go as soon as it is applied", async () => {
    await setRules({ rawBodyDays: 0 });
    await app.receive("gone at once");
    expect(await app.rows("webhookBodies")).toEqual([]);
    expect(await app.rows("messages")).toHaveLength(1);
    expect(await app.rows("webhookLogs")).toMatchObject([{ state: "processed", bodyStored: false }]);
  });

  it("say how long events are kept; those that stay keep their numbers", async () => {
    await setRules({ eventDays: 10 });
    await app.receive("old");
    await app.advance(9 * DAY);
    await app.receive("new");
    await app.advance(2 * DAY);
    await clean();
    expect((await app.rows("webhookEvents")).map(({ seq }) => seq)).toEqual([2]);
  });
});
