import { describe, expect, it } from "vitest";
import { isSignedMediaLink, mediaLinkPath, parseMediaLink, signMediaLink } from "./media-link";

const key = new Uint8Array(32).fill(7);
const other = new Uint8Array(32).fill(8);
const link = await signMediaLink(key, {
  messageId: "m1",
  principal: "user:ana",
  expiresAt: 1_790_000_000_000,
});

it("says what it was made of, and every key that is still known verifies it", async () => {
  const url = new URL(mediaLinkPath(link), "https://pons.example");
  expect(parseMediaLink(url.pathname.split("/").at(-1) ?? "", url.searchParams)).toEqual(link);
  expect(await isSignedMediaLink([other, key], link)).toBe(true);
  expect(await isSignedMediaLink([other], link)).toBe(false);
  expect(await isSignedMediaLink([], link)).toBe(false);
});

it.each([
  { messageId: "m2" },
  { principal: "user:ben" },
  { principal: "key:ana" },
  { expiresAt: link.expiresAt + 1 },
  { signature: `${link.signature.slice(0, -1)}A` },
  { signature: "" },
])("is not signed any more with %o", async (change) => {
  expect(await isSignedMediaLink([key], { ...link, ...change })).toBe(false);
});

it("keeps its parts apart: nothing can move from one into the next", async () => {
  const moved = await signMediaLink(key, { ...link, messageId: 'm1","user:ana' });
  expect(moved.signature).not.toBe(link.signature);
});

describe("a query that is no link", () => {
  const good = new URL(mediaLinkPath(link), "https://pons.example").searchParams;
  it.each([
    ["p", null],
    ["p", "ana"],
    ["p", "user:"],
    ["p", "user:a b"],
    ["e", "1e12"],
    ["e", "-1790000000000"],
    ["s", "x".repeat(42)],
    ["s", `${"x".repeat(42)}=`],
  ])("is refused when %s is %o", (name, value) => {
    const query = new URLSearchParams(good);
    if (value === null) query.delete(name);
    else query.set(name, value);
    expect(parseMediaLink("m1", query)).toBeNull();
    expect(parseMediaLink("../m1", good)).toBeNull();
  });
});
