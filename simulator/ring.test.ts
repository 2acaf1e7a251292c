import { expect, test } from "vitest";
import { Ring } from "./ring";

test("keeps the newest items, as many as fit by number and by size", () => {
  const ring = new Ring<string>(3, 10, (text) => text.length);
  for (let n = 0; n < 20; n++) ring.push(String(n));
  expect(ring.list()).toEqual(["17", "18", "19"]);
  ring.push("12345678");
  expect(ring.list()).toEqual(["19", "12345678"]);
  ring.push("larger than the whole ring");
  expect(ring.list()).toEqual(["larger than the whole ring"]);
  ring.push("x");
  expect(ring.list()).toEqual(["x"]);
  ring.clear();
  expect(ring.list()).toEqual([]);
});
