import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp, textMessage, webhook } from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let apiKeyId: Id<"apiKeys">;
beforeEach(async () => {
  app = openApp();
  const accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
  await app.receive("Hello");
});
afterEach(closeApp);

const receive = async (type: string, content: unknown) => {
  const { text: _, ...message } = textMessage();
  await app.deliver(webhook([{ ...message, type, [type]: content }]));
};
/** Types and directions of the messages that the words find, newest first. */
const find = async (query: string) => {
  const answer = await app.key(apiKeyId).query(api.mcpReads.searchMessages, { query });
  if (!("hits" in answer)) throw new Error("The search was refused.");
  return answer.hits.map(({ message }) => `${message.direction} ${message.type}`);
};

const PLACE = {
  latitude: 41.38,
  longitude: 2.17,
  name: "Confeitaria Colombo",
  address: "Rua Gonçalves Dias 32",
};
const CARD = {
  name: { formatted_name: "Zeferina Quintela", first_name: "Zeferina" },
  org: { company: "Livraria Lumière" },
  phones: [{ phone: "+49 (30) 901820-77" }],
  emails: [{ email: "zeferina@lumiere.example" }],
};
const WORDS = {
  place: ["Colombo", "Gonçalves", "rua dias"],
  card: ["Quintela", "zeferina", "Lumière", "493090182077", "zeferina@lumiere.example"],
};

describe("what a customer shares is found by", () => {
  it.each(WORDS.place)("the words of a place: %s", async (words) => {
    await receive("location", PLACE);
    expect(await find(words)).toEqual(["inbound location"]);
  });

  it.each(WORDS.card)("what stands on a contact card: %s", async (words) => {
    await receive("contacts", [CARD]);
    expect(await find(words)).toEqual(["inbound contacts"]);
  });
});

describe("what is shared from here is found by", () => {
  it.each(WORDS.place)("the words of a place: %s", async (words) => {
    await app.key(apiKeyId).mutation(api.mcp.sendLocation, { contact: CUSTOMER, location: PLACE });
    expect(await find(words)).toEqual(["outbound location"]);
  });

  it.each(WORDS.card)("what stands on a contact card: %s", async (words) => {
    await app.key(apiKeyId).mutation(api.mcp.sendContacts, { contact: CUSTOMER, contacts: [CARD] });
    expect(await find(words)).toEqual(["outbound contacts"]);
  });
});
