import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser, missingBrowser } from "../../tests/support/browser";
import { type Bench, changesOf, itemsOf, NUMBER, startBench } from "../test-support";

/** What a customer does on the page, seen from the side of the business: by the webhooks that arrive. */

const reason = missingBrowser();
let bench: Bench;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
beforeAll(async () => {
  if (reason !== null) return;
  [bench, browser] = await Promise.all([startBench(), launchBrowser()]);
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(5_000);
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(bench.simulator.url);
}, 60_000);
beforeEach(async () => {
  if (reason !== null) return;
  await bench.control("reset", { seed: "1" });
  await phone().getByText("No messages yet.").waitFor();
  bench.receiver.received.length = 0;
});
afterEach(() => expect(complaints.splice(0)).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await bench?.close();
});

const phone = () => page.getByRole("region", { name: "Phone of Sheena Nelson" });
const messageBox = () => phone().getByRole("textbox", { name: "Message" });
const bubbles = () => phone().locator(".bubble");
const dialog = () => page.getByRole("dialog");
const inbound = () => itemsOf(bench.receiver, "messages");
const lastInbound = () => inbound().at(-1);

async function arrives(message: object): Promise<void> {
  await expect.poll(lastInbound).toMatchObject(message);
}

async function write(text: string): Promise<void> {
  await messageBox().fill(text);
  await messageBox().press("Enter");
  await arrives({ type: "text", text: { body: text } });
}

async function attach(item: string): Promise<void> {
  await phone().getByRole("button", { name: "Send something else" }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function chooseForMessage(text: string, item: string): Promise<void> {
  await bubbles().filter({ hasText: text }).hover();
  await bubbles().filter({ hasText: text }).getByRole("button", { name: "Actions for" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function choosePerson(item: string): Promise<void> {
  await phone().getByRole("button", { name: "What this person can do" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function businessSends(content: object): Promise<string> {
  const { body } = await bench.send(content);
  return body.messages[0]?.id ?? "";
}

describe.skipIf(reason !== null)("a customer on the page", () => {
  test("writes, and what is written stays text", async () => {
    await write("<img src=x onerror=alert(1)> *bold*");
    await bubbles().getByText("<img src=x onerror=alert(1)>").waitFor();
    expect(await bubbles().locator("strong").textContent()).toBe("bold");
    await expect
      .poll(() => bubbles().getByRole("img", { name: "Delivered to the business" }).count())
      .toBe(1);
  });

  test("sends every kind of message", async () => {
    for (const [item, type] of [
      ["Photo", "image"],
      ["Video", "video"],
      ["Document", "document"],
      ["Audio", "audio"],
      ["Voice message", "audio"],
      ["Sticker", "sticker"],
      ["Location", "location"],
      ["Contact", "contacts"],
      ["Order", "order"],
      ["Flow answer", "interactive"],
      ["Come from an ad", "text"],
      ["Unsupported", "unsupported"],
    ] as const) {
      const before = inbound().length;
      await attach(item);
      await dialog().locator("button[type=submit]").click();
      await expect.poll(() => inbound().length, { message: item }).toBe(before + 1);
      expect(lastInbound(), item).toMatchObject({
        type,
        [type]: item === "Unsupported" ? {} : expect.anything(),
      });
    }
    expect(inbound()[4]).toMatchObject({ audio: { voice: true } });
    expect(inbound()[10]).toMatchObject({ referral: { source_type: "ad" } });
    await expect.poll(() => bubbles().count()).toBe(12);
    expect(await bubbles().locator("img.photo").count()).toBe(1);
  });

  test("sends a file of the computer with a caption, byte for byte", async () => {
    await attach("Document");
    await dialog()
      .locator("input[type=file]")
      .setInputFiles({ name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("two pots") });
    await dialog().getByLabel("Caption").fill("My list");
    await dialog().getByRole("button", { name: "Send" }).click();
    await arrives({ document: { filename: "list.txt", mime_type: "text/plain", caption: "My list" } });
    const { media } = (await bench.control("state")).body;
    const stored = await fetch(`${bench.simulator.url}/_sim/media/${media.at(-1)?.id}`);
    expect(await stored.text()).toBe("two pots");
  });

  test("taps a reply button, a row of a list and a quick reply of a template", async () => {
    await write("Hi");
    const buttons = await businessSends({
      type: "interactive",
      interactive: {
        type: "button",
        body: { text: "When?" },
        action: { buttons: [{ type: "reply", reply: { id: "now", title: "Now" } }] },
      },
    });
    await phone().getByRole("button", { name: "Now", exact: true }).click();
    await arrives({ context: { id: buttons }, interactive: { button_reply: { id: "now", title: "Now" } } });
    const list = await businessSends({
      type: "interactive",
      interactive: {
        type: "list",
        body: { text: "Which?" },
        action: { button: "Choose", sections: [{ rows: [{ id: "a", title: "Aloe", description: "Easy" }] }] },
      },
    });
    await phone().getByRole("button", { name: "Choose" }).click();
    await dialog().getByRole("button", { name: "Aloe" }).click();
    await arrives({
      context: { id: list },
      interactive: { list_reply: { id: "a", title: "Aloe", description: "Easy" } },
    });
    await businessSends({
      type: "template",
      template: {
        name: "order_update",
        language: { code: "en_US" },
        components: [
          {
            type: "body",
            parameters: [
              { type: "text", text: "Sheena" },
              { type: "text", text: "1042" },
            ],
          },
        ],
      },
    });
    await bubbles().getByText("Hi Sheena, your order 1042 is on its way.").waitFor();
    await phone().getByRole("button", { name: "Thanks" }).click();
    await arrives({ type: "button", button: { text: "Thanks", payload: "Thanks" } });
  });

  test("reacts, takes the reaction back, and answers", async () => {
    await write("Hello");
    const id = await businessSends({ type: "text", text: { body: "Good morning" } });
    await bubbles().filter({ hasText: "Good morning" }).hover();
    await bubbles().filter({ hasText: "Good morning" }).getByRole("button", { name: "Actions for" }).click();
    await page.getByRole("button", { name: "heart" }).click();
    await arrives({ type: "reaction", reaction: { message_id: id, emoji: "❤️" } });
    await phone().getByRole("img", { name: "Reactions: ❤️ by you" }).waitFor();
    await chooseForMessage("Good morning", "Take ❤️ back");
    await arrives({ type: "reaction", reaction: { message_id: id } });
    expect(lastInbound()?.["reaction"]).not.toHaveProperty("emoji");
    await expect.poll(() => phone().locator(".reactions").count()).toBe(0);
    await chooseForMessage("Good morning", "Reply");
    await write("And to you");
    expect(lastInbound()).toMatchObject({ context: { id } });
    await bubbles()
      .last()
      .getByRole("button", { name: /Good morning/ })
      .first()
      .waitFor();
  });

  test("changes and deletes an own message", async () => {
    await write("I take two");
    const id = lastInbound()?.["id"];
    await chooseForMessage("I take two", "Edit");
    await messageBox().fill("I take three");
    await messageBox().press("Enter");
    await arrives({
      type: "edit",
      edit: { original_message_id: id, message: { text: { body: "I take three" } } },
    });
    await bubbles().filter({ hasText: "I take three" }).getByText("Edited").waitFor();
    await chooseForMessage("I take three", "Delete for everyone");
    await arrives({ type: "revoke", revoke: { original_message_id: id } });
    await bubbles().getByText("You deleted this message").waitFor();
  });

  test("has a phone that is off: messages wait with one tick until it is on", async () => {
    await write("Hi");
    await phone().getByRole("switch", { name: "Phone is on" }).click();
    await expect.poll(() => phone().getByRole("switch").getAttribute("aria-checked")).toBe("false");
    await businessSends({ type: "text", text: { body: "Are you there?" } });
    const waiting = bubbles().filter({ hasText: "Are you there?" });
    await waiting.getByRole("img", { name: "The business sees: sent" }).waitFor();
    await phone().getByText("1 message waits with one tick").waitFor();
    await phone().getByRole("switch", { name: "Phone is on" }).click();
    await waiting.getByRole("img", { name: "The business sees: read" }).waitFor();
  });

  test("blocks the business, which then reaches nobody, and lets it in again", async () => {
    await write("Hi");
    await choosePerson("Block the business");
    await phone().getByText("You blocked this business.").waitFor();
    await businessSends({ type: "text", text: { body: "Hello?" } });
    await bubbles().getByText("(131026)").waitFor();
    await phone().getByRole("button", { name: "Unblock" }).click();
    await write("Back again");
  });

  test("stops promotions, of which the business hears, and marketing fails", async () => {
    await bench.control("settings", { fetchLinks: false });
    await choosePerson("Stop promotions");
    await expect.poll(() => itemsOf(bench.receiver, "user_preferences")).toMatchObject([{ value: "stop" }]);
    await businessSends({
      type: "template",
      template: {
        name: "spring_offer",
        language: { code: "en_US" },
        components: [
          {
            type: "header",
            parameters: [{ type: "image", image: { link: "https://example.com/spring.jpg" } }],
          },
          {
            type: "body",
            parameters: [
              { type: "text", text: "Sheena" },
              { type: "text", text: "20%" },
            ],
          },
        ],
      },
    });
    await bubbles().getByText("(131050)").waitFor();
  });

  test("moves to another number, and the phone stays open", async () => {
    await write("Hi");
    await choosePerson("Change number");
    await dialog().getByLabel("New number").fill("+16505550199");
    await dialog().getByRole("button", { name: "Change" }).click();
    await arrives({ type: "system", system: { type: "user_changed_number", wa_id: "16505550199" } });
    await phone().getByText("+1 650 555 0199").waitFor();
    await write("It is me");
    expect(lastInbound()).toMatchObject({ from: "16505550199" });
  });

  test("is new: with a username and without a number in webhooks", async () => {
    await page.getByRole("button", { name: "New customer" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("Ada");
    await dialog().getByLabel("Phone").fill("+16505550177");
    await dialog().getByLabel("Username", { exact: true }).fill("ada.plants");
    await dialog().getByLabel("Show the username").check();
    await dialog().getByRole("button", { name: "Add" }).click();
    const hers = page.getByRole("region", { name: "Phone of Ada" });
    await hers.getByRole("textbox").fill("Hello");
    await hers.getByRole("textbox").press("Enter");
    await expect
      .poll(() => lastInbound())
      .toMatchObject({ text: { body: "Hello" }, from_user_id: expect.any(String) });
    expect(lastInbound()).not.toHaveProperty("from");
  });

  test("sees the business typing, and gets ticks of colour when it has read", async () => {
    await write("Hi");
    const message_id = lastInbound()?.["id"];
    await bench.graph(`/${NUMBER}/messages`, {
      messaging_product: "whatsapp",
      status: "read",
      message_id,
      typing_indicator: { type: "text" },
    });
    await phone().getByText("typing…").waitFor();
    await bubbles().getByRole("img", { name: "Read by the business" }).waitFor();
    await businessSends({ type: "text", text: { body: "Here I am" } });
    await expect.poll(() => phone().getByText("typing…").count()).toBe(0);
  });

  test("can be used by the keyboard alone", async () => {
    await messageBox().focus();
    await page.keyboard.type("By keys");
    await page.keyboard.press("Enter");
    await arrives({ text: { body: "By keys" } });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    expect(await page.getByRole("menu").count()).toBe(0);
    expect(await focused()).toBe("Send something else");
    await page.keyboard.press("Enter");
    for (const _ of [1, 2, 3, 4, 5, 6]) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await dialog().waitFor();
    await page.keyboard.press("Enter");
    await arrives({ type: "location" });
    await phone().getByRole("log").focus();
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toContain("Actions for: Lucky Shrub");
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toContain("Actions for: By keys");
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor();
  });

  test("has a chat with each number of the business", async () => {
    await write("To the first");
    await bench.control("reset", { profile: "large" });
    await phone().getByRole("combobox", { name: "Number of the business" }).selectOption({ index: 1 });
    await write("To the second");
    const { numbers } = (await bench.control("state")).body;
    expect(changesOf(bench.receiver).at(-1)?.value).toMatchObject({
      metadata: { phone_number_id: numbers[1]?.id },
    });
    await phone().getByRole("combobox").selectOption({ index: 0 });
    await phone().getByText("No messages yet.").waitFor();
  });

  test("has a phone beside that of another", async () => {
    await page
      .getByRole("button", { name: /Ana Souza/ })
      .first()
      .hover();
    await page.getByRole("button", { name: "Open the phone of Ana Souza beside the others" }).click();
    const other = page.getByRole("region", { name: "Phone of Ana Souza" });
    await other.getByRole("textbox").fill("Oi");
    await other.getByRole("textbox").press("Enter");
    await expect.poll(lastInbound).toMatchObject({ from: "554188887777" });
    expect(await phone().count()).toBe(1);
    await other.getByRole("button", { name: "Close this phone" }).click();
    await expect.poll(() => other.count()).toBe(0);
  });
});

async function focused(): Promise<string> {
  const label = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  return label ?? "";
}
