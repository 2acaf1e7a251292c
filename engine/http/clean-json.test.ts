import { convexToJson } from "convex/values";
import { expect, test } from "vitest";
import { cleanJson } from "./clean-json";

test("values that JSON lacks become text, at any depth, and the rest stays as it is", () => {
  const encoded = convexToJson({
    big: -9007199254740993n,
    bytes: new Uint8Array([1, 2, 255]).buffer,
    numbers: [1.5, Number.NaN, Number.POSITIVE_INFINITY, -0],
    nested: { list: [{ n: 1n }], text: "$integer", nothing: null, yes: true },
  });
  expect(cleanJson(encoded)).toEqual({
    big: "-9007199254740993",
    bytes: "AQL/",
    numbers: [1.5, "NaN", "Infinity", "-0"],
    nested: { list: [{ n: "1" }], text: "$integer", nothing: null, yes: true },
  });
});
