import { afterEach, describe, expect, test } from "vitest";
import type { Message } from "@/lib/backend";
import { render } from "../../../tests/support/render";
import { MessageBubble } from "./MessageBubble";

let unmount: (() => Promise<void>) | undefined;
afterEach(async () => unmount?.());

async function show(fields: Partial<Message>): Promise<HTMLElement> {
  const message: Message = {
    _id: "m1" as Message["_id"],
    direction: "outbound",
    type: "text",
    text: "Hello",
    reactions: [],
    status: "sent",
    timestamp: 1_800_000_000_000,
    sender: { kind: "user", name: "Ana" },
    ...fields,
  };
  const page = await render(
    <MessageBubble
      message={message}
      startsGroup
      isLast={false}
      customerName="Sheena"
      onReply={() => undefined}
      onShowQuoted={() => undefined}
    />,
  );
  unmount = page.unmount;
  return page.container;
}
const text = async (fields: Partial<Message>) => (await show(fields)).textContent ?? "";

describe("who sent a message", () => {
  test.each([
    [{ sender: { kind: "user", name: "Ana" } }, "Ana"],
    [{ sender: { kind: "key", name: "support-bot" } }, "API key support-bot"],
    [{ sender: { kind: "phone" } }, "From the phone"],
    [{ direction: "inbound", status: "received", sender: { kind: "customer" } }, "Sheena: "],
  ] as const)("%j is told as %j", async (fields, expected) => {
    expect(await text(fields)).toContain(expected);
  });
});

describe("a message that did not arrive", () => {
  test("says why", async () => {
    const shown = await text({
      status: "failed",
      error: { code: "131026", message: "Message undeliverable." },
    });
    expect(shown).toContain("Not sent. Message undeliverable. (131026)");
  });

  test("says so when nobody knows why", async () => {
    expect(await text({ status: "failed" })).toContain("WhatsApp gave no reason.");
  });

  test("is told apart from one of which it is not known", async () => {
    const shown = await text({ status: "unknown" });
    expect(shown).toContain("May have been sent.");
    expect(shown).not.toContain("Not sent");
  });
});

describe("a file", () => {
  const media = { mime: "image/jpeg", filename: "cake.jpg", bytes: 1200 };

  test("on its way keeps its room", async () => {
    expect(await text({ type: "image", text: undefined, media: { ...media, state: "pending" } })).toContain(
      "Photo is being fetched",
    );
  });

  test("that is lost says so, as does one without an address", async () => {
    for (const state of ["failed", "ready"] as const) {
      expect(await text({ type: "image", text: undefined, media: { ...media, state } })).toContain(
        "Photo could not be fetched",
      );
      await unmount?.();
    }
  });

  test.each([
    ["image", "img[alt='Photo from Sheena']"],
    ["sticker", "img[alt='Sticker from Sheena']"],
    ["video", "video[aria-label='Video from Sheena']"],
    ["audio", "audio[aria-label='Audio from Sheena']"],
    ["voice", "audio[aria-label='Voice message from Sheena']"],
    ["document", "a[download='cake.jpg']"],
  ])("of type %s is drawn as %s", async (type, selector) => {
    const container = await show({ type, media: { ...media, state: "ready", url: "http://127.0.0.1/file" } });
    expect(container.querySelector(selector)).not.toBeNull();
    expect(container.textContent).toContain("Hello");
  });
});

describe("a place", () => {
  const place = { latitude: 41.38, longitude: 2.17, name: "Colombo", address: "Rua Dias 32" };
  const shared = (location: Message["location"]) => show({ type: "location", text: undefined, location });

  test("has its name, its address and a link to a map", async () => {
    const container = await shared(place);
    expect(container.textContent).toContain("Colombo");
    expect(container.textContent).toContain("Rua Dias 32");
    const link = container.querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://www.google.com/maps/search/?api=1&query=41.38%2C2.17");
    expect(link?.getAttribute("rel")).toContain("noreferrer");
  });

  test("without a name shows where it is", async () => {
    expect((await shared({ latitude: -1.5, longitude: 170 })).textContent).toContain("-1.5, 170");
  });

  test.each([
    [{ name: "Colombo", latitude: 900, longitude: 2 }, "query=Colombo"],
    [{ address: "Rua Dias 32" }, "query=Rua%20Dias%2032"],
  ])("with %j is looked for by its words", async (location, query) => {
    expect((await shared(location)).querySelector("a")?.getAttribute("href")).toContain(query);
  });

  test.each(["javascript:alert(1)", "data:text/html,x", "nonsense", ""])(
    "never links to %s, whatever its sender says",
    async (url) => {
      const container = await shared({ ...place, url });
      expect([...container.querySelectorAll("a")].map(({ hostname }) => hostname)).toEqual([
        "www.google.com",
      ]);
    },
  );

  test("links to its own page", async () => {
    const container = await shared({ ...place, url: "https://colombo.example/menu" });
    expect(container.querySelectorAll("a")[1]?.textContent).toBe("colombo.example");
  });
});

describe("contact cards", () => {
  const shared = (contacts: Message["contacts"]) => show({ type: "contacts", text: undefined, contacts });

  test("have name, company and everything that can be dialled or written to", async () => {
    const card = {
      name: "Ana",
      company: "Bakery",
      phones: ["+49 30 901820", "ask me"],
      emails: ["ana@x.test"],
    };
    const container = await shared([card]);
    expect(container.textContent).toContain("Ana");
    expect(container.textContent).toContain("Bakery");
    const links = [...container.querySelectorAll("a")].map((link) => link.getAttribute("href"));
    expect(links).toEqual(["tel:+4930901820", "mailto:ana%40x.test"]);
    expect(container.textContent).toContain("ask me");
  });

  test("beyond the third wait for a click", async () => {
    const container = await shared(Array.from({ length: 5 }, (_, n) => ({ name: `Card ${n}`, phones: [] })));
    expect(container.querySelector("summary")?.textContent).toBe("2 more contacts");
    expect(container.querySelector("details")?.textContent).toContain("Card 4");
  });

  test("without anything on them are still cards", async () => {
    expect((await shared([{ phones: [] }])).textContent).toContain("Contact without a name");
  });
});

describe("an order", () => {
  const line = { productId: "SKU-1", quantity: 2, price: 3.5, currency: "EUR" };
  const ordered = async (order: Message["order"]) => {
    const container = await show({ type: "order", direction: "inbound", text: "No nuts", order });
    return container.textContent?.replaceAll("\u00a0", " ") ?? "";
  };

  test("has its lines, what they cost together, and what the customer said", async () => {
    const shown = await ordered({
      itemCount: 2,
      items: [line, { ...line, productId: "SKU-2", quantity: 1 }],
    });
    expect(shown).toContain("3 items");
    expect(shown).toMatch(/2 ×SKU-1.*7\.00.*1 ×SKU-2.*3\.50.*Total.*10\.50/);
    expect(shown).toContain("No nuts");
  });

  test.each([
    ["a price is missing", { itemCount: 2, items: [line, { productId: "SKU-2", quantity: 1 }] }],
    ["the currencies differ", { itemCount: 2, items: [line, { ...line, currency: "USD" }] }],
    ["lines are left out", { itemCount: 60, items: [line] }],
    ["it has no lines", { itemCount: 0, items: [] }],
  ])("has no total when %s", async (_, order) => {
    expect(await ordered(order)).not.toContain("Total");
  });

  test("with a currency that nobody knows is shown all the same", async () => {
    expect(await ordered({ itemCount: 1, items: [{ ...line, currency: "shells" }] })).toContain("7 shells");
  });
});

describe("a choice", () => {
  const chosen = (interactive: Message["interactive"]) =>
    show({ direction: "inbound", type: "interactive", text: interactive?.title, interactive });

  test.each([
    [{ kind: "button_reply", id: "y", title: "Yes, please" }, "Tapped a buttonYes, please"],
    [{ kind: "button", id: "y", title: "Yes, please" }, "Tapped a buttonYes, please"],
    [
      { kind: "list_reply", id: "a", title: "Tomorrow", description: "9 to 12" },
      "Chose from the listTomorrow9 to 12",
    ],
    [{ kind: "button_reply", id: "y" }, "Tapped a buttony"],
  ])("%j says what was chosen, once", async (interactive, words) => {
    expect((await chosen(interactive)).textContent).toContain(words);
    expect((await chosen(interactive)).textContent?.split("Yes, please").length).toBeLessThan(3);
  });

  test("that is a form shows its answers, and no token", async () => {
    const response = JSON.stringify({
      flow_token: "secret",
      screen_0_First_name_1: "Ana",
      days: ["Mon", "Tue"],
    });
    const { textContent } = await chosen({ kind: "nfm_reply", response });
    expect(textContent).toContain("Filled in a formFirst nameAna");
    expect(textContent).toContain("Mon, Tue");
    expect(textContent).not.toContain("secret");
  });

  test.each(["{", "[1", "null", '"x"'])("that is a form with the answers %s is named", async (response) => {
    expect((await chosen({ kind: "nfm_reply", response })).textContent).toContain("Filled in a form");
  });

  test("that is offered to the customer is listed, and cannot be tapped here", async () => {
    const container = await show({
      type: "interactive",
      text: "Shall we deliver?",
      interactive: { kind: "button", description: "Yes\nNo" },
    });
    expect(container.textContent).toContain("Shall we deliver?");
    const choices = [...container.querySelectorAll("[aria-label='Choices for the customer'] li")];
    expect(choices.map((choice) => choice.textContent)).toEqual(["Yes", "No"]);
    expect(choices.every((choice) => choice.querySelector("button, a") === null)).toBe(true);
  });
});

test("what cannot be shown is named", async () => {
  expect(await text({ type: "poll", text: undefined, unsupportedType: "poll" })).toContain("type “poll”");
});

test("a reaction says whose it is", async () => {
  const container = await show({ reactions: [{ emoji: "❤", from: "customer" }] });
  expect(container.querySelector("[aria-label=Reactions]")?.textContent).toBe("❤ from Sheena");
});

test("an answer shows what it answers", async () => {
  expect(await text({ replyTo: { wamid: "w1", preview: "Do you ship?" } })).toContain(
    "In reply to: Do you ship?",
  );
});

test("a message that WhatsApp does not know yet cannot be quoted", async () => {
  const byId = (container: HTMLElement) => container.querySelector("[aria-label='Reply to this message']");
  expect(byId(await show({ wamid: undefined }))).toBeNull();
  await unmount?.();
  expect(byId(await show({ wamid: "wamid.1" }))).not.toBeNull();
});
