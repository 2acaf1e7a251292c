import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { inbound, seedDemo } from "../../local/demo-data";
import { connectMcp } from "../../local/mcp-client";
import { graphRequests, webhookDeliveries } from "../../local/simulator-client";
import { breaches } from "../support/axe";
import { launchBrowser, missingBrowser } from "../support/browser";
import { startTestStack, type TestStack } from "../support/stack";

const CUSTOMER = "+16505551234";
/** The promise of the product: a message is on screen within a second. */
const LIVE_MS_MAX = 1_000;

/** Engine, simulator, built app, a real browser and a genuine MCP client, in the order a day's work would have. */
const noBrowser = missingBrowser();

describe.skipIf(noBrowser !== null)(`the loop${noBrowser === null ? "" : ` (skipped: ${noBrowser})`}`, () => {
  let stack: TestStack;
  let browser: Browser;
  let page: Page;
  let apiKey: string;
  let accountId: string;

  beforeAll(async () => {
    stack = await startTestStack();
    await seedDemo(stack.backend, stack.env, stack.simulatorUrl);
    [{ id: accountId }] = z
      .tuple([z.looseObject({ id: z.string() })], z.unknown())
      .parse(await runFunction(stack.backend, "accountsAdmin:list", {}));
    const created = await runFunction(stack.backend, "keysAdmin:create", {
      accountId,
      name: "flow agent",
      scopes: ["read", "send"],
    });
    apiKey = z.looseObject({ key: z.string() }).parse(created).key;
    browser = await launchBrowser();
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  });

  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  test("the first person becomes the owner with the setup token and is in the inbox", async () => {
    await page.goto(`${stack.env.SITE_URL}/login?setup=${stack.env.SETUP_TOKEN}`);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: /create/i }).click();
    await page.waitForURL(/\/dashboard/);
    await page.getByText("Sheena Nelson").first().waitFor();
  });

  test("a customer's message is in the open inbox within a second, without a reload", async () => {
    await page.evaluate(() => document.documentElement.setAttribute("data-mark", "kept"));
    const text = "Do you have gluten-free bread?";
    const shown = page
      .getByText(text)
      .first()
      .waitFor({ timeout: LIVE_MS_MAX + 4_000 });
    const sentAt = performance.now();
    await inbound(stack.simulatorUrl, { from: CUSTOMER, name: "Sheena Nelson", type: "text", text });
    await shown;
    expect(performance.now() - sentAt).toBeLessThan(LIVE_MS_MAX);
    expect(await page.evaluate(() => document.documentElement.getAttribute("data-mark"))).toBe("kept");
  });

  test("an agent reads it, answers, Meta is called once, and the ticks move to read on screen", async () => {
    await page.getByText("Sheena Nelson").first().click();
    await page.getByRole("textbox", { name: /message/i }).waitFor();
    const agent = await connectMcp(stack.env.SITE_URL, apiKey);
    const conversation = await agent.callTool({ name: "get_conversation", arguments: { contact: CUSTOMER } });
    expect(JSON.stringify(conversation.structuredContent)).toContain("gluten-free bread");

    const before = (await graphRequests(stack.simulatorUrl)).length;
    const reply = "Yes, every Friday.";
    const sent = await agent.callTool({
      name: "send_text",
      arguments: { contact: CUSTOMER, text: reply, client_request_id: "loop-1" },
    });
    expect(sent.structuredContent).toMatchObject({
      outcome: "accepted",
      wamid: expect.stringMatching(/^wamid\./),
    });
    await agent.close();

    const bubble = page.getByRole("article").filter({ hasText: reply });
    await bubble.getByTitle("Read", { exact: true }).waitFor({ timeout: 15_000 });
    const calls = (await graphRequests(stack.simulatorUrl, before)).filter(
      (call) => call.path.endsWith("/messages") && JSON.stringify(call.body).includes(reply),
    );
    expect(calls.length).toBe(1);
  });

  test("the same client_request_id gives the same answer and no second call", async () => {
    const before = (await graphRequests(stack.simulatorUrl)).length;
    const agent = await connectMcp(stack.env.SITE_URL, apiKey);
    const call = {
      name: "send_text",
      arguments: { contact: CUSTOMER, text: "Once.", client_request_id: "loop-2" },
    };
    const answers = await Promise.all(Array.from({ length: 10 }, () => agent.callTool(call)));
    await agent.close();
    const ids = new Set(
      answers.map(
        (answer) => z.looseObject({ message_id: z.string() }).parse(answer.structuredContent).message_id,
      ),
    );
    expect(ids.size).toBe(1);
    const calls = (await graphRequests(stack.simulatorUrl, before)).filter((request) =>
      request.path.endsWith("/messages"),
    );
    expect(calls.length).toBe(1);
  });

  test("an operator's answer reaches the customer", async () => {
    const box = page.getByRole("textbox", { name: /message/i });
    await box.fill("See you on Friday!");
    await box.press("Enter");
    const bubble = page.getByRole("article").filter({ hasText: "See you on Friday!" });
    await bubble.getByTitle("Read", { exact: true }).waitFor({ timeout: 15_000 });
    const bodies = (await graphRequests(stack.simulatorUrl)).map((request) => JSON.stringify(request.body));
    expect(bodies.filter((body) => body.includes("See you on Friday!")).length).toBe(1);
  });

  test("a place, a contact card, an order and a choice are shown as what they are", async () => {
    const item = { product_retailer_id: "SOURDOUGH-1KG", quantity: 2, item_price: 6.5, currency: "EUR" };
    const card = { name: { formatted_name: "Zeferina Quintela" }, phones: [{ phone: "+493090182077" }] };
    const contents = [
      { type: "location", latitude: 41.38, longitude: 2.17, place: "Confeitaria Colombo" },
      { type: "contacts", contacts: [card] },
      { type: "order", order: { catalog_id: "1", product_items: [item] } },
      {
        type: "interactive",
        interactive: { type: "list_reply", list_reply: { id: "am", title: "In the morning" } },
      },
    ];
    for (const content of contents)
      await inbound(stack.simulatorUrl, { from: CUSTOMER, name: "Sheena Nelson", ...content });
    await page.getByText("Chose from the list").waitFor();
    await page.getByText("In the morning").last().waitFor();
    await page.getByText("€13.00").last().waitFor();
    await page.getByRole("link", { name: "+493090182077" }).waitFor();
    await page.getByText("Confeitaria Colombo").last().waitFor();
    const map = page.getByRole("link", { name: "Open in Google Maps" });
    expect(await map.getAttribute("href")).toContain("query=41.38%2C2.17");
    expect(await page.getByText("cannot be shown").count()).toBe(0);
  });

  test("an invited person makes an account by the link and is in the inbox, and the link is used up", async () => {
    const invite = await runFunction(stack.backend, "invites:createByAdmin", {
      accountId,
      email: "ben@example.com",
      role: "member",
    });
    const link = `${stack.env.SITE_URL}/invite/${z.looseObject({ token: z.string() }).parse(invite).token}`;
    const context = await browser.newContext({ colorScheme: "dark", viewport: { width: 390, height: 844 } });
    const guest = await context.newPage();
    await guest.goto(link);
    await guest.getByRole("heading", { name: /^Join / }).waitFor();
    expect(await breaches(guest)).toEqual([]);
    expect(await guest.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await guest.getByLabel("Name").fill("Ben");
    await guest.getByLabel("Password").fill("another long password");
    await guest.getByRole("button", { name: /create/i }).click();
    await guest.waitForURL(`**/dashboard/${accountId}`);
    await guest.getByText("Sheena Nelson").first().waitFor();
    await context.close();

    const ofOwner = await browser.newContext({ storageState: await page.context().storageState() });
    const owner = await ofOwner.newPage();
    await owner.goto(link);
    await owner.getByRole("heading", { name: /used already/ }).waitFor();
    await ofOwner.close();
  });

  describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
    test.each([
      ["/", 1440],
      ["/login", 390],
      ["/docs", 1440],
      ["/dashboard", 390],
      ["the open conversation", 1440],
    ])("%s at %i px keeps WCAG 2.2 AA and does not scroll sideways", async (path, width) => {
      const inboxUrl = page.url();
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 844 },
        ...(path !== "/login" && { storageState: await page.context().storageState() }),
      });
      const visit = await context.newPage();
      await visit.goto(path.startsWith("/") ? `${stack.env.SITE_URL}${path}` : inboxUrl);
      await visit.getByRole("heading").or(visit.getByText("Sheena Nelson")).first().waitFor();
      if (!path.startsWith("/")) await visit.getByText("In the morning").last().waitFor();
      expect(await breaches(visit)).toEqual([]);
      expect(await visit.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await context.close();
    });
  });

  test("every webhook of the run was answered with 200", async () => {
    const deliveries = await webhookDeliveries(stack.simulatorUrl);
    expect(deliveries.length).toBeGreaterThan(5);
    expect(deliveries.filter((delivery) => delivery.status !== 200)).toEqual([]);
  });
});
