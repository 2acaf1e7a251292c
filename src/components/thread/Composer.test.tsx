import { act, createRef } from "react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { one, press, render, typeInto } from "../../../tests/support/render";
import { Composer, type SendOutcome } from "./Composer";

type Sent = { text: string; clientRequestId: string };

let page: Awaited<ReturnType<typeof render>>;
let sent: Sent[];
let answer: (outcome: SendOutcome) => void;

async function open(conversationId = "c1"): Promise<HTMLTextAreaElement> {
  page = await render(
    <Composer
      conversationId={conversationId}
      fieldRef={createRef<HTMLTextAreaElement>()}
      onSend={(outgoing) => {
        sent.push(outgoing);
        return new Promise((resolve) => {
          answer = resolve;
        });
      }}
    />,
  );
  return one(page.container, "textarea", HTMLTextAreaElement);
}

const finish = (outcome: SendOutcome) => act(async () => answer(outcome));
const failed = (mayHaveArrived: boolean): SendOutcome => ({
  ok: false,
  words: { code: "rate_limited", message: "Too many messages.", nextStep: "Wait a moment." },
  mayHaveArrived,
});

beforeEach(() => {
  sent = [];
  sessionStorage.clear();
});
afterEach(async () => page.unmount());

describe("Enter", () => {
  test("sends the text without the space around it, and empties the field", async () => {
    const field = await open();
    await typeInto(field, "  hello\nworld ");
    await press(field, "Enter");
    expect(sent).toEqual([
      { text: "hello\nworld", clientRequestId: expect.stringMatching(/^web-[\w-]{36}$/) },
    ]);
    expect(field.value).toBe("");
  });

  test("pressed twice before the page is drawn again sends once", async () => {
    const field = await open();
    await typeInto(field, "hello");
    await act(async () => {
      for (let time = 0; time < 2; time++) {
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      }
      one(page.container, "form", HTMLFormElement).requestSubmit();
    });
    expect(sent).toHaveLength(1);
  });

  test("with Shift is left to the field, which starts a new line", async () => {
    const field = await open();
    await typeInto(field, "hello");
    expect(await press(field, "Enter", { shiftKey: true })).toBe(true);
    expect(sent).toEqual([]);
  });

  test.each([{ isComposing: true }, { keyCode: 229 }])(
    "chooses a word while an input method composes: %j",
    async (init) => {
      const field = await open();
      await typeInto(field, "にほ");
      expect(await press(field, "Enter", init)).toBe(true);
      expect(sent).toEqual([]);
      expect(field.value).toBe("にほ");
    },
  );

  test("sends nothing when there is nothing but space", async () => {
    const field = await open();
    await typeInto(field, " \n ");
    await press(field, "Enter");
    expect(sent).toEqual([]);
  });

  test("sends nothing that WhatsApp would refuse for its length, counted in characters", async () => {
    const field = await open();
    await typeInto(field, "🦊".repeat(4097));
    await press(field, "Enter");
    expect(sent).toEqual([]);
    expect(page.container.textContent).toContain("1 characters too long");
    await typeInto(field, "🦊".repeat(4096));
    await press(field, "Enter");
    expect(sent).toHaveLength(1);
  });
});

describe("a text that was refused", () => {
  test("comes back with the reason, and is a new message when it is sent again", async () => {
    const field = await open();
    await typeInto(field, "hello");
    await press(field, "Enter");
    await finish(failed(false));
    expect(field.value).toBe("hello");
    expect(page.container.querySelector("[role=alert]")?.textContent).toContain(
      "Too many messages. Wait a moment.",
    );
    await press(field, "Enter");
    expect(sent[1]?.clientRequestId).not.toBe(sent[0]?.clientRequestId);
  });

  test("stands in front of what was typed meanwhile", async () => {
    const field = await open();
    await typeInto(field, "first");
    await press(field, "Enter");
    await typeInto(field, "second");
    await finish(failed(false));
    expect(field.value).toBe("first\nsecond");
  });
});

describe("a text of which nobody knows whether it arrived", () => {
  test("stays the same message while it stays the same text", async () => {
    const field = await open();
    await typeInto(field, "hello");
    await press(field, "Enter");
    await finish(failed(true));
    await press(field, "Enter");
    expect(sent[1]).toEqual(sent[0]);
  });

  test("becomes another message with another text", async () => {
    const field = await open();
    await typeInto(field, "hello");
    await press(field, "Enter");
    await finish(failed(true));
    await typeInto(field, "hello there");
    await press(field, "Enter");
    expect(sent[1]?.clientRequestId).not.toBe(sent[0]?.clientRequestId);
  });
});

test("two messages have two ids", async () => {
  const field = await open();
  for (const text of ["one", "one"]) {
    await typeInto(field, text);
    await press(field, "Enter");
    await finish({ ok: true });
  }
  expect(new Set(sent.map(({ clientRequestId }) => clientRequestId)).size).toBe(2);
});

test("a draft is kept for its own conversation until it is sent", async () => {
  await typeInto(await open("c1"), "half a sentence");
  await page.unmount();
  expect((await open("c2")).value).toBe("");
  await page.unmount();
  const field = await open("c1");
  expect(field.value).toBe("half a sentence");
  await press(field, "Enter");
  await page.unmount();
  expect((await open("c1")).value).toBe("");
});
