import { ConvexProvider, ConvexReactClient } from "convex/react";
import { act, createRef } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WINDOW_SAFETY_MS } from "#shared/domain/window";
import { SECOND_MS } from "#shared/time";
import type { Conversation } from "@/lib/backend";
import { one, render, typeInto } from "../../../tests/support/render";
import { ConversationComposer } from "./ConversationComposer";

const NOW = 1_800_000_000_000;
/** Never used in these tests, so it never connects. */
const client = new ConvexReactClient("http://127.0.0.1:9", { skipConvexDeploymentUrlCheck: true });

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function show(windowExpiresAt: number | undefined) {
  const conversation: Conversation = {
    _id: "c1" as Conversation["_id"],
    accountId: "a1" as Conversation["accountId"],
    contact: { _id: "p1" as Conversation["contact"]["_id"], name: "Sheena" },
    preview: "",
    lastMessageAt: NOW,
    unreadCount: 0,
    ...(windowExpiresAt !== undefined && { windowExpiresAt }),
  };
  return (
    <ConvexProvider client={client}>
      <ConversationComposer
        conversation={conversation}
        replyTo={null}
        onReplyDone={() => undefined}
        fieldRef={createRef<HTMLTextAreaElement>()}
      />
    </ConvexProvider>
  );
}

test("a window that ends while the page is open takes the field away and says why; a new message gives it back", async () => {
  const page = await render(show(NOW + WINDOW_SAFETY_MS + 5 * SECOND_MS));
  await typeInto(one(page.container, "textarea", HTMLTextAreaElement), "half a sentence");

  await act(async () => vi.advanceTimersByTimeAsync(6 * SECOND_MS));
  expect(page.container.querySelector("textarea")).toBeNull();
  expect(page.container.querySelector("[role=status]")?.textContent).toContain("The reply window is closed.");

  await page.rerender(show(NOW + WINDOW_SAFETY_MS + 60 * SECOND_MS));
  expect(one(page.container, "textarea", HTMLTextAreaElement).value).toBe("half a sentence");
  await page.unmount();
});

test("a customer who never wrote cannot be answered", async () => {
  const page = await render(show(undefined));
  expect(page.container.querySelector("textarea")).toBeNull();
  expect(page.container.textContent).toContain("There is no reply window yet.");
  await page.unmount();
});
