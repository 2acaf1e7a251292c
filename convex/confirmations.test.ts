import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, START } from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { addTemplate } from "../tests/support/convex-template";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const OTHER = "16505559999";
const STRANGER = "+4915112345678";
const NEW_TEXTS = ["fedcba9876543210".repeat(2)];
const TEXTS = ["0123456789abcdef".repeat(2)];

let talk: OpenConversation;
let app: App;
let keyId: Id<"apiKeys">;
/** The customer who wrote what speaks to machines; `CUSTOMER` is somebody else. */
let suspect: Id<"contacts">;

beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
  suspect = await write(OTHER);
  keyId = (await app.addKey(talk.accountId)).id;
  await addTemplate(app, talk.accountId, { name: "hello", body: "Hello {{1}}!" });
});
afterEach(closeApp);

/** A customer of that number writes; answers with their contact. */
async function write(from: string): Promise<Id<"contacts">> {
  await app.deliver({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "102290129340398",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
              contacts: [{ profile: { name: "Eve" }, wa_id: from }],
              messages: [
                {
                  from,
                  id: `wamid.${from}.${Date.now()}`,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: "Hello" },
                },
              ],
            },
          },
        ],
      },
    ],
  });
  const contact = (await app.rows("contacts")).find(({ phone }) => phone === `+${from}`);
  if (contact === undefined) throw new Error("The customer was not stored.");
  return contact._id;
}

const shows = async (contact: string = suspect, textHashes = TEXTS, id: string = keyId) =>
  await app
    .key(id)
    .mutation(api.mcpConfirmations.noteShown, { shown: [{ source: { contact }, textHashes }] });

interface Send {
  contact?: string;
  text?: string;
  confirmToken?: string;
  clientRequestId?: string;
  validateOnly?: boolean;
}
const send = async (args: Send = {}, id: string = keyId) =>
  await app.key(id).mutation(api.mcp.sendText, { contact: `+${CUSTOMER}`, text: "Yes!", ...args });

const template = async (args: { confirmToken?: string } = {}) =>
  await app.key(keyId).mutation(api.mcp.sendTemplate, {
    contact: STRANGER,
    name: "hello",
    language: "en_US",
    params: { body: { 1: "Ana" } },
    ...args,
  });

/** The token of a refusal that asks for a confirmation. */
const tokenOf = (answer: Awaited<ReturnType<typeof send>>): string => {
  expect(answer).toMatchObject({ refused: true, reason: "confirmation_required" });
  return "confirm" in answer && answer.confirm !== undefined ? answer.confirm.token : "";
};

const lines = async () =>
  (await app.rows("auditLog"))
    .filter(({ action }) => action === "message.confirmation")
    .map(({ outcome, reason }) => [outcome, reason]);

const TAKEN = { outcome: "pending" };

describe("a key that has read what speaks to machines", () => {
  it("has its first send to somebody else refused, with what a person has to be asked", async () => {
    await shows();
    expect(await send({ text: "See you at five" })).toEqual({
      refused: true,
      reason: "confirmation_required",
      message: expect.stringContaining("person"),
      next_step: expect.stringContaining("confirm_token"),
      confirm: {
        token: expect.stringMatching(/^\S+\.[A-Za-z0-9_-]{22}$/),
        expiresAt: START + 10 * MINUTE,
        from: "+15550783881",
        recipient: `+${CUSTOMER}`,
        name: "Sheena Nelson",
        text: "See you at five",
      },
    });
    expect(await talk.outbound()).toEqual([]);
    expect(await lines()).toEqual([["refused", "confirmation_required"]]);
  });

  it("answers the one who wrote it as before", async () => {
    await shows();
    expect(await send({ contact: `+${OTHER}` })).toMatchObject(TAKEN);
    expect(await send({ contact: suspect, text: "By id" })).toMatchObject(TAKEN);
  });

  it("sends once it is confirmed, and then to this customer without asking again", async () => {
    await shows();
    await app.advance(1);
    const confirmToken = tokenOf(await send());
    expect(await send({ confirmToken })).toMatchObject(TAKEN);
    await app.advance(MINUTE);
    expect(await send({ text: "One more thing" })).toMatchObject(TAKEN);
    expect(await lines()).toEqual([
      ["refused", "confirmation_required"],
      ["confirmed", "token"],
    ]);
  });

  it("asks for each other customer", async () => {
    await shows();
    const third = await write("16505558888");
    expect(await send({ confirmToken: tokenOf(await send()) })).toMatchObject(TAKEN);
    tokenOf(await send({ contact: third }));
  });

  it("asks again after reading something new, and not after reading the same again", async () => {
    await shows();
    await app.advance(1);
    await send({ confirmToken: tokenOf(await send()) });
    await app.advance(MINUTE);
    await shows();
    expect(await send({ text: "Same again" })).toMatchObject(TAKEN);
    await shows(suspect, NEW_TEXTS);
    tokenOf(await send({ text: "Something new" }));
  });

  it.each([
    ["until an hour after it was shown last", HOUR - 1, true],
    ["and no longer", HOUR, false],
  ])("asks %s", async (_, later, asks) => {
    await shows();
    await app.advance(later);
    const answer = await send();
    expect("refused" in answer).toBe(asks);
  });

  it("asks before it writes to a number that never wrote, and knows it afterwards", async () => {
    await shows();
    await app.advance(1);
    const answer = await template();
    expect(answer).toMatchObject({ confirm: { recipient: STRANGER, text: "Template hello\nHello Ana!" } });
    expect(await template({ confirmToken: tokenOf(answer) })).toMatchObject(TAKEN);
    await app.advance(MINUTE);
    await write(STRANGER.slice(1));
    expect(await send({ contact: STRANGER })).toMatchObject(TAKEN);
  });

  it("says for validate_only that a confirmation would be needed, and asks nobody", async () => {
    await shows();
    const answer = await send({ validateOnly: true });
    expect(answer).toMatchObject({ refused: true, reason: "confirmation_required" });
    expect(answer).not.toHaveProperty("confirm");
    expect(await app.rows("sendConfirmations")).toEqual([]);
    expect(await lines()).toEqual([]);
  });

  it("gets the answer of an accepted send again, whatever it has read since", async () => {
    const first = await send({ clientRequestId: "once" });
    await shows();
    expect(await send({ clientRequestId: "once" })).toEqual(first);
    const confirmed = { text: "Confirmed", clientRequestId: "twice" };
    const taken = await send({ ...confirmed, confirmToken: tokenOf(await send(confirmed)) });
    await shows(suspect, NEW_TEXTS);
    expect(await send(confirmed)).toEqual(taken);
  });

  it("is asked the same question for the same send", async () => {
    await shows();
    expect(tokenOf(await send())).toBe(tokenOf(await send()));
    expect(await lines()).toEqual([["refused", "confirmation_required"]]);
  });

  it("leaves people alone, and other keys", async () => {
    await shows();
    expect(await talk.send("From the dashboard")).toMatchObject(TAKEN);
    const { id } = await app.addKey(talk.accountId);
    expect(await send({}, id)).toMatchObject(TAKEN);
  });

  it("is held to it also where a file of a message was shown", async () => {
    const message = (await app.rows("messages")).find(({ wamid }) => wamid?.includes(OTHER));
    const shown = [{ source: { message: message?._id ?? "" }, textHashes: TEXTS }];
    await app.key(keyId).mutation(api.mcpConfirmations.noteShown, { shown });
    tokenOf(await send());
  });
});

describe("a token", () => {
  const CASES: Record<string, (token: string) => Promise<Send>> = {
    "that is made up": async (token) => ({ confirmToken: token.replace(/\..*/, `.${"A".repeat(22)}`) }),
    "without a signature": async (token) => ({ confirmToken: token.replace(/\..*/, "") }),
    "that is no token": async () => ({ confirmToken: "yes" }),
    "for another text": async (confirmToken) => ({ confirmToken, text: "Another text" }),
    "for another customer": async (confirmToken) => ({ confirmToken, contact: await write("16505557777") }),
    "that is over": async (confirmToken) => {
      await app.advance(10 * MINUTE);
      return { confirmToken };
    },
    "that nobody answered": async (token) => {
      await app.key(keyId).mutation(api.mcpConfirmations.answer, { token, answer: "dismissed" });
      return { confirmToken: token };
    },
    "that was used": async (confirmToken) => {
      await send({ confirmToken });
      await app.advance(MINUTE);
      await shows(suspect, NEW_TEXTS);
      return { confirmToken };
    },
    "of another key": async (_) => {
      const { id } = await app.addKey(talk.accountId);
      await shows(suspect, TEXTS, id);
      return { confirmToken: tokenOf(await send({}, id)) };
    },
  };

  it.each(Object.keys(CASES))("%s is refused like none", async (name) => {
    await shows();
    const token = tokenOf(await send());
    const args = (await CASES[name]?.(token)) ?? {};
    const sends = await talk.outbound();
    const { confirmToken: _, ...without } = args;
    const refused = await send(args);
    tokenOf(refused);
    expect(await send(without)).toEqual(refused);
    expect(await talk.outbound()).toEqual(sends);
  });

  it("allows one send", async () => {
    await shows();
    const confirmToken = tokenOf(await send());
    expect(await send({ confirmToken, clientRequestId: "a" })).toMatchObject(TAKEN);
    expect(await lines()).toHaveLength(2);
    const used = (await app.rows("sendConfirmations")).filter(({ usedAt }) => usedAt !== undefined);
    expect(used).toHaveLength(1);
  });

  it("stands for what the person said, once they said it", async () => {
    await shows();
    const token = tokenOf(await send());
    const said = () => app.key(keyId).query(api.mcpConfirmations.read, { token });
    const say = (answer: "accepted" | "declined") =>
      app.key(keyId).mutation(api.mcpConfirmations.answer, { token, answer });
    expect(await said()).toBe("waiting");
    await say("accepted");
    await say("declined");
    expect(await said()).toBe("accepted");
    expect(await send({ confirmToken: token })).toMatchObject(TAKEN);
    expect(await said()).toBe("over");
    expect(await lines()).toEqual([
      ["refused", "confirmation_required"],
      ["confirmed", "person"],
    ]);
  });

  it("is closed by a no, and nobody is asked the same again for ten minutes", async () => {
    await shows();
    const token = tokenOf(await send());
    await app.key(keyId).mutation(api.mcpConfirmations.answer, { token, answer: "declined" });
    for (const confirmToken of [token, "none"]) {
      expect(await send({ confirmToken })).toMatchObject({ refused: true, reason: "confirmation_declined" });
    }
    tokenOf(await send({ text: "Something else" }));
    await app.advance(10 * MINUTE);
    expect(tokenOf(await send())).not.toBe(token);
    expect((await lines())[1]).toEqual(["declined", "person"]);
  });

  it("is closed by no answer, and the person may be asked again", async () => {
    await shows();
    const token = tokenOf(await send());
    await app.key(keyId).mutation(api.mcpConfirmations.answer, { token, answer: "dismissed" });
    expect(tokenOf(await send({ confirmToken: token }))).not.toBe(token);
    expect((await lines())[1]).toEqual(["declined", "no_answer"]);
  });

  it("tells another key nothing, and takes no answer from it", async () => {
    await shows();
    const token = tokenOf(await send());
    const { id } = await app.addKey(talk.accountId);
    expect(await app.key(id).query(api.mcpConfirmations.read, { token })).toBe("over");
    await app.key(id).mutation(api.mcpConfirmations.answer, { token, answer: "accepted" });
    expect(await app.key(keyId).query(api.mcpConfirmations.read, { token })).toBe("waiting");
  });
});

describe("the rule of a key", () => {
  const set = (userId: string, confirmAfter: "flagged" | "everything" | "nothing") =>
    app
      .user(userId)
      .mutation(api.keys.setConfirmation, { accountId: talk.accountId, apiKeyId: keyId, confirmAfter });

  it("is switched off and on by whoever manages keys, and written down", async () => {
    await app.join(talk.accountId, "ada", "admin");
    await shows();
    expect(await set("ada", "nothing")).toMatchObject({ confirmAfter: "nothing" });
    expect(await send()).toMatchObject(TAKEN);
    await shows(suspect, NEW_TEXTS);
    expect(await set("ada", "flagged")).toMatchObject({ confirmAfter: "flagged" });
    await app.advance(MINUTE);
    tokenOf(await send({ text: "Next" }));
    const changes = (await app.rows("auditLog")).filter(({ action }) => action === "key.confirm_after");
    expect(changes.map(({ principal, outcome }) => [principal, outcome])).toEqual([
      ["user:ada", "nothing"],
      ["user:ada", "flagged"],
    ]);
  });

  it("is not for members to loosen, not even of a key of their own", async () => {
    await expect(set("ana", "nothing")).rejects.toMatchObject({ data: { code: "forbidden" } });
    const key = { accountId: talk.accountId, name: "mine", scopes: ["read", "send"] };
    await expect(
      app.user("ana").action(api.keys.create, { ...key, confirmAfter: "nothing" }),
    ).rejects.toMatchObject({ data: { code: "forbidden", field: "confirmAfter" } });
    expect(
      await app.user("ana").action(api.keys.create, { ...key, confirmAfter: "everything" }),
    ).toMatchObject({
      confirmAfter: "everything",
    });
    expect(await app.user("ana").action(api.keys.create, key)).toMatchObject({ confirmAfter: "flagged" });
  });

  it("is changed by the administrator too", async () => {
    const changed = { apiKeyId: keyId, confirmAfter: "everything" } as const;
    const view = await app.backend.mutation(internal.keysAdmin.setConfirmation, changed);
    expect(view).toMatchObject({ confirmAfter: "everything" });
  });
});

describe("what is kept", () => {
  it("is nothing of a customer of others, of a key that sends to nobody, or of a wrong form", async () => {
    const otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    const foreign = await app.backend.run(
      async (ctx) => await ctx.db.insert("contacts", { accountId: otherId, phone: "+1" }),
    );
    await shows(foreign);
    await shows("nobody");
    const { id } = await app.addKey(talk.accountId);
    await app.backend.run(async (ctx) => await ctx.db.patch(id, { direction: "inbound" }));
    await shows(suspect, TEXTS, id);
    expect(await app.rows("flaggedReads")).toEqual([]);
    await expect(shows(suspect, ["the text itself"])).rejects.toMatchObject({
      data: { code: "invalid_request" },
    });
  });

  it("goes when its time is over", async () => {
    await shows();
    await send({ confirmToken: tokenOf(await send()) });
    await send({ text: "Open question" });
    await app.advance(HOUR + 1);
    await app.backend.mutation(internal.retention.run, {});
    expect(await app.rows("flaggedReads")).toEqual([]);
    expect(await app.rows("sendConfirmations")).toEqual([]);
  });

  it("is at most fifty open questions of a key", async () => {
    await shows();
    for (let n = 0; n < 52; n++) tokenOf(await send({ text: `Text ${n}` }));
    expect(await app.rows("sendConfirmations")).toHaveLength(50);
  });
});
