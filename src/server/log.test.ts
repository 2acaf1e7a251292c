import { expect, it } from "vitest";
import { redact } from "./log";

it("secrets of every kind are taken out of what is logged", () => {
  const key = `pons_live_${"a".repeat(38)}`;
  const token = `EAA${"B".repeat(40)}`;
  const text = redact(
    `key ${key}, Authorization: Bearer abc.def, token=${token}, jwt eyJhbGci.eyJzdWIi.c2ln`,
  );
  expect(text).toBe("key [redacted], Authorization: Bearer [redacted] token=[redacted], jwt [redacted]");
});
