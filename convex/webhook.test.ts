import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signatureHeader } from "#shared/signature";
import {
  APP_SECRET,
  type App,
  bytesOf,
  CUSTOMER,
  change,
  closeApp,
  NUMBER,
  openApp,
  START,
  textMessage,
  webhook,
} from "../tests/support/convex-app";

const OTHER = { name: "Florist", wabaId: "300", phoneNumberId: "900", phoneNumber: "+15550001111" };

let app: App;
beforeEach(() => {
  app = openApp();
});
afterEach(closeApp);

const states = async () => (await app.rows("webhookItems")).map(({ state, reason }) => [state, reason]);
const texts = async () => (await app.rows("messages")).map(({ text }) => text);

describe("verification", () => {
  it("takes a signed delivery and stores its very bytes", async () => {
    await app.addAccount();
    const body = bytesOf(webhook([textMessage({ text: "Grüße 🥐" })]));
    expect(await app.ingest(body, await signatureHeader(APP_SECRET, body))).toBe("accepted");
    const [part] = await app.rows("webhookBodies");
    expect(new Uint8Array(part?.bytes ?? new ArrayBuffer(0))).toEqual(new Uint8Array(body));
    expect(await texts()).toEqual(["Grüße 🥐"]);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({
      state: "processed",
      itemCount: 1,
      itemsDone: 1,
    });
  });

  it.each([
    ["none", null],
    ["a malformed one", "sha256=abc"],
    ["one of another secret", "other"],
    ["SHA-1", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ])("refuses a signature that is %s, and stores nothing", async (_, signature) => {
    await app.addAccount();
    const body = bytesOf(webhook([textMessage()]));
    const header = signature === "other" ? await signatureHeader("other", body) : signature;
    expect(await app.ingest(body, header)).toBe("unauthorized");
    expect(await app.rows("webhookLogs")).toEqual([]);
    expect(await app.rows("messages")).toEqual([]);
  });

  it("refuses a body that was changed after it was signed, by one byte", async () => {
    await app.addAccount();
    const body = bytesOf(webhook([textMessage({ text: "pay 10" })]));
    const header = await signatureHeader(APP_SECRET, body);
    const forged = bytesOf(new TextDecoder().decode(body).replace("pay 10", "pay 90"));
    expect(await app.ingest(forged, header)).toBe("unauthorized");
  });

  it("answers for an unknown number exactly as for a wrong signature, when no secret vouches for it", async () => {
    await app.addAccount();
    expect(await app.deliver(webhook([textMessage()], { phoneNumberId: "404" }))).toBe("unauthorized");
    expect(await app.rows("webhookLogs")).toEqual([]);
  });

  it("keeps a delivery for an unknown number that the app's own secret verified", async () => {
    vi.stubEnv("FACEBOOK_APP_SECRET", "deployment-secret");
    expect(await app.deliver(webhook([textMessage()], { phoneNumberId: "404" }), "deployment-secret")).toBe(
      "accepted",
    );
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({
      state: "dead",
      reason: "unknown_number",
      signedBy: "app",
    });
    expect(await app.rows("webhookBodies")).toHaveLength(1);
  });

  it("accepts the previous secret until its time is over", async () => {
    const accountId = await app.addAccount();
    await app.backend.run(async (ctx) => {
      const account = await ctx.db.get(accountId);
      // The old envelope stays where it is; a secret sealed under another field's name would not open.
      await ctx.db.patch(accountId, {
        previousAppSecretSealed: account?.appSecretSealed ?? "",
        previousAppSecretUntil: START + 60_000,
        appSecretSealed: "v1.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA",
      });
    });
    expect(await app.receive("during the change")).toBe("accepted");
    await app.advance(60_000);
    expect(await app.receive("after it")).toBe("unauthorized");
    expect(await texts()).toEqual(["during the change"]);
  });

  it("quarantines the changes of a number whose secret did not sign the body", async () => {
    await app.addAccount();
    await app.addAccount(OTHER, "florist-secret");
    const payload = {
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [
            change(NUMBER.phoneNumberId, { messages: [textMessage({ text: "mine" })] }),
            change(OTHER.phoneNumberId, { messages: [textMessage({ text: "forged" })] }),
          ],
        },
      ],
    };
    expect(await app.deliver(payload)).toBe("accepted");
    expect(await texts()).toEqual(["mine"]);
    expect(await states()).toEqual([
      ["processed", undefined],
      ["dead", "foreign_number"],
    ]);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({ state: "partial", reason: "foreign_number" });
  });

  it("applies a body for two numbers of one app to both", async () => {
    await app.addAccount();
    await app.addAccount(OTHER, APP_SECRET);
    const changes = [NUMBER, OTHER].map(({ phoneNumberId, name }) =>
      change(phoneNumberId, { messages: [textMessage({ text: name })] }),
    );
    expect(await app.deliver({ entry: [{ id: "1", changes }] })).toBe("accepted");
    expect((await texts()).sort()).toEqual(["Bakery", "Florist"]);
  });

  it("is not fooled by a number id that hides from the scan behind an escape", async () => {
    await app.addAccount();
    await app.addAccount(OTHER, "florist-secret");
    const visible = change(NUMBER.phoneNumberId, { messages: [] });
    const hidden = change(OTHER.phoneNumberId, { messages: [textMessage({ text: "smuggled" })] });
    const text = JSON.stringify({ entry: [{ id: "1", changes: [visible, hidden] }] });
    const last = text.lastIndexOf('"phone_number_id"');
    expect(await app.deliver(`${text.slice(0, last)}"phone_number\\u005fid"${text.slice(last + 17)}`)).toBe(
      "accepted",
    );
    expect(await texts()).toEqual([]);
    expect(await states()).toContainEqual(["dead", "foreign_number"]);
  });

  it("verifies an update that names only the WABA with the secret of its accounts", async () => {
    await app.addAccount();
    const update = {
      field: "message_template_status_update",
      value: { event: "APPROVED", message_template_id: 1 },
    };
    expect(await app.deliver({ entry: [{ id: NUMBER.wabaId, changes: [update] }] })).toBe("accepted");
    expect(await states()).toEqual([["processed", undefined]]);
  });

  it("stores a delivery for an account that is switched off, and applies nothing", async () => {
    const accountId = await app.addAccount();
    await app.backend.run(async (ctx) => await ctx.db.patch(accountId, { state: "disabled" }));
    expect(await app.receive("anybody there?")).toBe("accepted");
    expect(await states()).toEqual([["dead", "account_disabled"]]);
    expect(await texts()).toEqual([]);
  });
});

describe("duplicates", () => {
  it("changes nothing when the same body comes again within 8 days", async () => {
    await app.addAccount();
    const payload = webhook([textMessage()]);
    expect(await app.deliver(payload)).toBe("accepted");
    await app.advance(7 * 24 * 3_600_000);
    expect(await app.deliver(payload)).toBe("duplicate");
    expect(await app.rows("webhookLogs")).toHaveLength(1);
    expect(await app.rows("messages")).toHaveLength(1);
  });

  it("changes nothing when the same message comes in another body", async () => {
    await app.addAccount();
    const message = textMessage({ id: "wamid.ONE", text: "first" });
    await app.deliver(webhook([message]));
    const before = await app.rows("conversations");
    expect(await app.deliver(webhook([message, textMessage({ id: "wamid.TWO", text: "second" })]))).toBe(
      "accepted",
    );
    expect(await texts()).toEqual(["first", "second"]);
    expect(await states()).toEqual([
      ["processed", undefined],
      ["duplicate", undefined],
      ["processed", undefined],
    ]);
    expect((await app.rows("conversations"))[0]?.inboundCount).toBe((before[0]?.inboundCount ?? 0) + 1);
  });

  it("stores one message when the same delivery arrives 20 times at once", async () => {
    await app.addAccount();
    const payload = webhook([textMessage()]);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => app.deliver(payload)));
    expect(outcomes.filter((outcome) => outcome === "accepted")).toHaveLength(1);
    expect(await app.rows("messages")).toHaveLength(1);
  });
});

describe("bodies that are not as expected", () => {
  it("says too large above 4 MiB without looking at it", async () => {
    await app.addAccount();
    expect(await app.ingest(new ArrayBuffer(5 * 1024 * 1024), `sha256=${"0".repeat(64)}`)).toBe("too_large");
    expect(await app.rows("webhookLogs")).toEqual([]);
  });

  it("stores a body close to the limit in pieces and gives it back whole", async () => {
    await app.addAccount();
    const padding = { ...webhook([textMessage()]), padding: "x".repeat(3_500_000) };
    expect(await app.deliver(padding)).toBe("accepted");
    const parts = await app.rows("webhookBodies");
    expect(parts).toHaveLength(4);
    const size = parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    expect(size).toBe(bytesOf(padding).byteLength);
  });

  it.each([
    ["is not JSON", `"phone_number_id":"${NUMBER.phoneNumberId}" nonsense`, "body"],
    ["is cut off", JSON.stringify(webhook([textMessage()])).slice(0, -5), "body"],
    ["is an array", JSON.stringify([{ phone_number_id: NUMBER.phoneNumberId }]), "body"],
    ["has no entries", JSON.stringify({ phone_number_id: NUMBER.phoneNumberId }), "shape"],
  ])("keeps a verified body that %s, with the reason", async (_, text, reason) => {
    await app.addAccount();
    expect(await app.deliver(text)).toBe("accepted");
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({ state: "dead", reason });
    expect(await app.rows("webhookBodies")).toHaveLength(1);
  });

  it("survives a message nested 100,000 levels deep, and applies its neighbour", async () => {
    await app.addAccount();
    const deep = `{"from":"${CUSTOMER}","id":"wamid.DEEP","type":"x","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const whole = JSON.stringify(webhook([textMessage({ text: "fine" })])).replace(
      '"messages":[',
      `"messages":[${deep},`,
    );
    expect(await app.deliver(whole)).toBe("accepted");
    expect(await states()).toEqual([
      ["dead", "depth"],
      ["processed", undefined],
    ]);
    expect(await texts()).toEqual(["fine"]);
  });

  it.each([
    ["a number", 7, "shape"],
    ["null", null, "shape"],
    ["a message without an id", { from: CUSTOMER, type: "text", text: { body: "x" } }, "no_message_id"],
    ["a reaction to nothing", { ...textMessage(), type: "reaction", reaction: { emoji: "👍" } }, "no_target"],
  ])("parks %s and goes on with its neighbours", async (_, poison, reason) => {
    await app.addAccount();
    await app.deliver(webhook([textMessage({ text: "before" }), poison, textMessage({ text: "after" })]));
    expect(await texts()).toEqual(["before", "after"]);
    expect(await states()).toEqual([
      ["processed", undefined],
      ["dead", reason],
      ["processed", undefined],
    ]);
  });

  it("rolls a poison item back whole: nothing that it began to write stays", async () => {
    const accountId = await app.addAccount();
    // Two rows for one identity break its uniqueness, so that looking the sender up throws in the middle of the item.
    await app.backend.run(async (ctx) => {
      for (let copy = 0; copy < 2; copy++) {
        const contactId = await ctx.db.insert("contacts", { accountId });
        await ctx.db.insert("contactIdentities", {
          accountId,
          contactId,
          kind: "bsuid",
          value: "US.BROKEN1",
        });
      }
    });
    const poison = { ...textMessage({ from: "16505550000", text: "poison" }), from_user_id: "US.BROKEN1" };
    await app.deliver(webhook([poison, textMessage({ text: "fine" })]));
    expect(await states()).toEqual([
      ["dead", "internal"],
      ["processed", undefined],
    ]);
    expect(await texts()).toEqual(["fine"]);
    const values = (await app.rows("contactIdentities")).map(({ value }) => value);
    expect(values).not.toContain("16505550000");
  });

  it("applies a delivery of 300 messages after the answer, each once", async () => {
    await app.addAccount();
    const messages = Array.from({ length: 300 }, (_, n) => textMessage({ id: `wamid.B${n}`, text: `${n}` }));
    expect(await app.deliver(webhook(messages))).toBe("accepted");
    await app.advance();
    expect(await app.rows("messages")).toHaveLength(300);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({ state: "processed", itemsDone: 300 });
    expect((await app.rows("conversations"))[0]).toMatchObject({ inboundCount: 300, nextSeq: 300 });
  });
});
