import { act } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Conversation } from "@/lib/backend";
import { press, render } from "../../../tests/support/render";
import { ConversationRows } from "./ConversationRows";

/** happy-dom has no layout: every box reports this height to whoever observes it, so that rows are drawn. */
const BOX_HEIGHT_PX = 720;

class StillResizeObserver {
  readonly #report: ResizeObserverCallback;
  constructor(report: ResizeObserverCallback) {
    this.#report = report;
  }
  observe(target: Element): void {
    const isRow = target.tagName === "LI";
    const contentRect = new DOMRect(0, 0, 320, isRow ? 72 : BOX_HEIGHT_PX);
    const entry = {
      target,
      contentRect,
      borderBoxSize: [],
      contentBoxSize: [],
      devicePixelContentBoxSize: [],
    };
    queueMicrotask(() => this.#report([entry], this));
  }
  unobserve(): void {}
  disconnect(): void {}
}

const conversation = (name: string): Conversation => ({
  _id: `c${name}` as Conversation["_id"],
  accountId: "a1" as Conversation["accountId"],
  contact: { _id: `p${name}` as Conversation["contact"]["_id"], name },
  preview: `Hello from ${name}`,
  lastMessageAt: 1_800_000_000_000,
  unreadCount: 0,
});
const CONVERSATIONS = ["Ana", "Ben", "Cem"].map(conversation);

let page: Awaited<ReturnType<typeof render>>;
const show = async (openId?: Conversation["_id"]) => {
  page = await render(
    <ConversationRows conversations={CONVERSATIONS} openId={openId} onNearEnd={() => undefined} />,
  );
  await nextFrame();
};
const nextFrame = () =>
  act(async () => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined))));
const focusedRow = () => document.activeElement?.closest("li")?.querySelector("bdi")?.textContent;
const key = async (name: string, init?: KeyboardEventInit) => {
  const isUnhandled = await press(document.activeElement ?? document.body, name, init);
  await nextFrame();
  return isUnhandled;
};

beforeEach(() => vi.stubGlobal("ResizeObserver", StillResizeObserver));
afterEach(async () => {
  await page.unmount();
  vi.unstubAllGlobals();
  localStorage.clear();
});

describe("the list of conversations", () => {
  test("is one stop for the Tab key", async () => {
    await show();
    const stops = [...page.container.querySelectorAll("a")].map(({ tabIndex }) => tabIndex);
    expect(stops).toEqual([0, -1, -1]);
  });

  test.each([
    ["j", "k"],
    ["ArrowDown", "ArrowUp"],
  ])("is walked with %s and %s, up to its ends", async (down, up) => {
    await show();
    const walk: (string | null | undefined)[] = [];
    for (const name of [down, down, down, down, up, up, up]) {
      expect(await key(name)).toBe(false);
      walk.push(focusedRow());
    }
    expect(walk).toEqual(["Ana", "Ben", "Cem", "Cem", "Ben", "Ana", "Ana"]);
  });

  test("is walked from the open conversation on", async () => {
    await show(CONVERSATIONS[1]?._id);
    expect(page.container.querySelector("[aria-current=page]")?.textContent).toContain("Ben");
    await key("j");
    expect(focusedRow()).toBe("Cem");
  });

  test("opens a row as a link does, without leaving the page", async () => {
    await show();
    await key("j");
    await key("j");
    const row = document.activeElement;
    expect(row?.getAttribute("href")).toBe("/dashboard/a1/cBen");
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    await act(async () => row?.dispatchEvent(click));
    expect(click.defaultPrevented).toBe(true);
    expect(window.location.pathname).toBe("/dashboard/a1/cBen");
  });

  test("leaves a click for a new tab to the browser", async () => {
    await show();
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true });
    await act(async () => page.container.querySelector("a")?.dispatchEvent(click));
    expect(click.defaultPrevented).toBe(false);
  });

  test("gives the focus back to the row of a conversation that is closed", async () => {
    await show(CONVERSATIONS[2]?._id);
    await page.rerender(
      <ConversationRows conversations={CONVERSATIONS} openId={undefined} onNearEnd={() => undefined} />,
    );
    await nextFrame();
    expect(focusedRow()).toBe("Cem");
  });
});

describe("shortcuts of a single character", () => {
  test("rest while somebody types", async () => {
    await show();
    const field = document.createElement("input");
    page.container.append(field);
    field.focus();
    expect(await key("j")).toBe(true);
    expect(document.activeElement).toBe(field);
  });

  test("can be switched off, and the arrow keys stay", async () => {
    localStorage.setItem("pons-single-keys", "off");
    await show();
    expect(await key("j")).toBe(true);
    expect(await key("ArrowDown")).toBe(false);
    expect(focusedRow()).toBe("Ana");
  });

  test("belong to the browser together with Ctrl", async () => {
    await show();
    expect(await key("k", { ctrlKey: true })).toBe(true);
  });
});
