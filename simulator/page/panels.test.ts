import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { breaches } from "../../tests/support/axe";
import { launchBrowser, missingBrowser } from "../../tests/support/browser";
import { startSimulator } from "../simulator";
import { type Bench, itemsOf, SHEENA, startBench } from "../test-support";
import { BUSINESS_SAMPLES } from "./business-samples";

/** What stands beside the phones: the log, the faults, the clock, the business; and how all of it can be perceived. */

const reason = missingBrowser();
let bench: Bench;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  if (reason !== null) return;
  [bench, browser] = await Promise.all([startBench(), launchBrowser()]);
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(5_000);
  await page.goto(bench.simulator.url);
}, 60_000);
beforeEach(async () => {
  if (reason !== null) return;
  await bench.control("reset", { seed: "1" });
  await phone().getByText("No messages yet.").waitFor();
  bench.receiver.answer = () => 200;
  bench.receiver.received.length = 0;
});
afterAll(async () => {
  await browser?.close();
  await bench?.close();
});

const phone = () => page.getByRole("region", { name: "Phone of Sheena Nelson" });
const log = () => page.getByRole("region", { name: "Calls and webhooks" });
const entries = () => log().locator("#log > li");
const faults = () => page.getByRole("region", { name: "Faults" });
const clock = () => page.getByRole("region", { name: "Virtual clock" });
const related = async (entry: Locator) => (await entry.locator(".related li").allInnerTexts()).join("\n");
const says = (text: string) => bench.control("inbound", { from: SHEENA, type: "text", text });

describe.skipIf(reason !== null)("beside the phones", () => {
  test("the log links a call with the webhooks that it caused", async () => {
    await says("Hi");
    await bench.send();
    await expect.poll(() => entries().count()).toBe(5);
    const call = entries().filter({ hasText: "POST /messages" });
    await call.getByRole("button", { name: "POST /messages" }).click();
    await call.getByText('"messaging_product"').first().waitFor();
    await expect.poll(() => related(call)).toMatch(/sent[\s\S]*delivered[\s\S]*read/);
    await call.getByRole("button", { name: /delivered/ }).click();
    await entries().filter({ hasText: '"delivered"' }).locator("pre").waitFor();
  });

  test("the log is filtered, searched, stopped and cleared", async () => {
    await says("needle");
    await bench.send();
    await expect.poll(() => entries().count()).toBe(5);
    await log().getByRole("button", { name: "Calls", exact: true }).click();
    await expect.poll(() => entries().count()).toBe(1);
    await log().getByRole("button", { name: "All", exact: true }).click();
    await page.keyboard.press("/");
    await page.keyboard.type("needle");
    await expect.poll(() => entries().count()).toBe(1);
    await log().getByRole("searchbox").fill("");
    await log().getByRole("button", { name: "Pause" }).click();
    await says("later");
    await log().getByRole("button", { name: "Resume (1 new)" }).click();
    await expect.poll(() => entries().count()).toBe(6);
    await log().getByRole("button", { name: "Clear" }).click();
    await expect.poll(() => entries().count()).toBe(0);
  });

  test("a webhook that was refused is told with what to do, and with each attempt", async () => {
    bench.receiver.answer = (nth) => (nth <= 2 ? 401 : 200);
    await says("Hi");
    await log().getByText("The callback answers 401.").waitFor();
    await log().getByText("SIM_APP_SECRET").waitFor();
    await expect.poll(() => entries().count()).toBe(2);
    await bench.control("clock", { advanceMs: 30_000 });
    await expect.poll(() => log().getByText("The callback answers 401.").isVisible()).toBe(false);
    await entries().first().getByRole("button").first().click();
    await expect
      .poll(() => related(entries().first()))
      .toMatch(/Attempt 1\s+401[\s\S]*Attempt 2\s+401[\s\S]*Attempt 3\s+200/);
  });

  test("a fault switch has its effect until it is off", async () => {
    const drop = faults().getByRole("switch", { name: /^Drop/ });
    await faults().locator("summary", { hasText: "Webhooks" }).click();
    await drop.click();
    await faults().getByRole("list", { name: "Rules that hold now" }).getByText("drop").waitFor();
    await says("lost");
    await faults().getByText("used 1 time").waitFor();
    expect(itemsOf(bench.receiver, "messages")).toEqual([]);
    await drop.click();
    await faults().getByText("Everything works.").waitFor();
    await says("found");
    expect(itemsOf(bench.receiver, "messages")).toMatchObject([{ text: { body: "found" } }]);
  });

  test("a fault takes parameters, a number of times and a match", async () => {
    await faults().getByRole("button", { name: "Error: parameters", exact: true }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("HTTP status").fill("503");
    await form.getByLabel("How often").fill("1");
    await form.getByLabel("Only where the text has").fill("bad");
    await form.getByRole("button", { name: "Add rule" }).click();
    await faults().getByText("used 0 of 1").waitFor();
    const send = (body: string) => bench.send({ type: "text", text: { body } });
    expect((await send("good")).status).toBe(200);
    expect((await send("bad")).status).toBe(503);
    expect((await send("bad")).status).toBe(200);
    await faults().getByRole("button", { name: "Remove the rule error" }).click();
    await faults().getByText("Everything works.").waitFor();
  });

  test("the clock closes the window, tells what fell due, runs faster, and stands still", async () => {
    await says("Hi");
    await phone().getByText("window 23 h").waitFor();
    await clock().getByRole("button", { name: "+24 h" }).click();
    await clock().getByText("The window closed for Sheena Nelson.").waitFor();
    await phone().getByText("window closed").waitFor();
    await clock().getByRole("combobox", { name: "Speed of the clock" }).selectOption("60");
    await expect.poll(async () => (await bench.control("state")).body.clock).toMatchObject({ speed: 60 });
    await clock().getByRole("switch", { name: "Freeze" }).click();
    await expect.poll(() => clock().getByRole("switch").getAttribute("aria-checked")).toBe("true");
    expect((await bench.control("state")).body.clock).toMatchObject({ frozen: true });
  });

  test("the business sends, and its templates are paused", async () => {
    const panel = page.getByRole("region", { name: "Business" });
    await says("Hi");
    await panel.getByLabel("Text to send").fill("Good day");
    await panel.getByRole("button", { name: "Send" }).click();
    await phone().locator(".bubble").getByText("Good day").waitFor();
    await panel.getByLabel("through the Graph").selectOption("Template: spring offer");
    await panel.getByRole("button", { name: "Send" }).click();
    await phone()
      .locator(".bubble", { hasText: "our spring plants are here" })
      .locator("img.photo")
      .waitFor();
    await panel.getByRole("button", { name: "Change the template order_update" }).click();
    await page.getByRole("menuitem", { name: "Pause", exact: true }).click();
    await panel.getByText("paused").waitFor();
    expect(JSON.stringify(itemsOf(bench.receiver, "entry"))).toBe("[]");
    expect((await bench.control("state")).body.templates).toContainEqual(
      expect.objectContaining({ name: "order_update", status: "PAUSED" }),
    );
  });

  test("the world begins again, also as one in which nobody is", async () => {
    await says("Hi");
    await page.getByRole("button", { name: "Reset…" }).click();
    await page.getByRole("dialog").getByLabel("World").selectOption("empty");
    await page.getByRole("dialog").getByRole("button", { name: "Reset" }).click();
    await page.getByText("Nobody is here. Add a customer to open a phone.").waitFor();
    await expect.poll(() => entries().count()).toBe(0);
    expect(await phone().count()).toBe(0);
  });

  test("a simulator that is gone is told, and what comes back is taken up again", async () => {
    const simulator = await startSimulator({ port: 0 });
    const other = await browser.newPage();
    await other.goto(simulator.url);
    await other.getByText("No webhook is subscribed: messages reach nobody.").waitFor();
    await simulator.close();
    await other.getByText("The simulator does not answer.").waitFor();
    const again = await startSimulator({ port: Number(new URL(simulator.url).port) });
    await expect
      .poll(() => other.getByText("The simulator does not answer.").isVisible(), { timeout: 10_000 })
      .toBe(false);
    await other.close();
    await again.close();
  });
});

describe.skipIf(reason !== null)("everybody can perceive and use it", () => {
  test.each(["light", "dark"] as const)(
    "in %s colours, wide and narrow, with everything that can be shown",
    async (colorScheme) => {
      await bench.control("settings", { rateLimits: false });
      await says("Hi *there*");
      for (const type of ["image", "voice", "audio", "document", "video", "sticker", "unsupported"]) {
        await bench.control("inbound", { from: SHEENA, type });
      }
      const [picture = { id: "" }] = (await bench.control("state")).body.media;
      for (const { message } of BUSINESS_SAMPLES) await bench.send(message(picture));
      await bench.control("faults", { effect: { kind: "nul" } });
      await bench.control("customers", { phone: "+5541988887777", optedOut: true });
      const found: string[] = [];
      const look = async (what: string, at: Page) =>
        found.push(...(await breaches(at)).map((breach) => `${what}: ${breach}`));

      // The checker is a script of its own, which the policy of the page would refuse.
      const context = await browser.newContext({
        colorScheme,
        bypassCSP: true,
        viewport: { width: 1440, height: 900 },
      });
      const wide = await context.newPage();
      await wide.goto(bench.simulator.url);
      await wide.getByText("Where shall we deliver?").waitFor();
      // Entries look alike: a few of them say as much as all, and are checked sooner.
      await wide.getByRole("button", { name: "Clear", exact: true }).click();
      await bench.send({ type: "text", text: { body: "" } });
      await says("Last words");
      await wide.locator(".entry").first().click();
      await wide.getByRole("button", { name: "Send something else" }).click();
      await look("menu", wide);
      await wide.getByRole("menuitem", { name: "Photo" }).click();
      await look("dialog", wide);
      await wide.keyboard.press("Escape");
      await wide.setViewportSize({ width: 390, height: 844 });
      await wide.getByRole("button", { name: /^Sheena Nelson/ }).click();
      await look("narrow, phone", wide);
      for (const tab of ["Log", "Controls"]) {
        await wide.getByRole("navigation").getByRole("button", { name: tab }).click();
        const overflow = await wide.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
      await look("narrow, controls", wide);
      await context.close();
      expect(found).toEqual([]);
    },
    // The checker looks at each of some thousand elements, which takes a busy machine long.
    60_000,
  );

  test("the colours can be chosen, and the choice is kept", async () => {
    const ground = (at: Page) => at.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground(page);
    await page.getByRole("button", { name: "Colours: system" }).click();
    await page.getByRole("button", { name: "Colours: light" }).click();
    const dark = await ground(page);
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Colours: dark" }).click();
    expect(await ground(page)).toBe(light);
  });
});
