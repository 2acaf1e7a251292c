import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  openApp,
  START,
  textMessage,
  webhook,
} from "../tests/support/convex-app";

const NEW_NUMBER = "16505559876";
let app: App;
beforeEach(async () => {
  app = openApp();
  await app.addAccount();
});
afterEach(closeApp);

const at = (seconds: number) => START + seconds * 1000;
const notice = (id: string, seconds: number) => {
  const { text: _, ...message } = textMessage({ id, at: at(seconds) });
  const system = { type: "user_changed_number", body: "changed", wa_id: NEW_NUMBER };
  return webhook([{ ...message, type: "system", system }]);
};
const texts = async () => {
  const messages = await app.rows("messages");
  const contacts = await app.rows("contacts");
  return contacts.map(({ _id }) => messages.filter((row) => row.contactId === _id).map(({ text }) => text));
};

describe("a customer who changes their number", () => {
  it("stays one contact: late messages come under the old number, new ones under the new", async () => {
    await app.receive("before", { at: at(0) });
    await app.deliver(notice("wamid.N", 10));
    await app.receive("late", { at: at(5) });
    await app.receive("after", { at: at(20), from: NEW_NUMBER });
    expect(await texts()).toEqual([["before", "changed", "late", "after"]]);
    expect((await app.rows("contacts"))[0]).toMatchObject({ phone: `+${NEW_NUMBER}`, waId: NEW_NUMBER });
    expect((await app.rows("webhookEvents")).map(({ type }) => type)).toContain("contact.updated");
  });

  it("leaves the old number to whoever gets it next", async () => {
    await app.receive("before", { at: at(0) });
    await app.deliver(notice("wamid.N", 10));
    await app.receive("somebody else", { at: at(900), from: CUSTOMER });
    expect(await texts()).toEqual([["before", "changed"], ["somebody else"]]);
  });

  it("is not merged with a contact who has the new number already: a person is asked", async () => {
    await app.receive("before", { at: at(0) });
    await app.receive("from the new number", { at: at(5), from: NEW_NUMBER });
    await app.deliver(notice("wamid.N", 10));
    await app.deliver(notice("wamid.N2", 11));
    expect(await app.rows("contacts")).toHaveLength(2);
    expect(await app.rows("contactDuplicates")).toMatchObject([{ reason: "number_changed", state: "open" }]);
  });
});
