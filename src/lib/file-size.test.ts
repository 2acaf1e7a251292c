import { expect, test } from "vitest";
import { fileSize } from "./file-size";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [12_345, "12 kB"],
  [999_600, "1.0 MB"],
  [16_000_000, "16 MB"],
  [5_000_000_000_000, "5000 GB"],
])("%d bytes read %s", (bytes, text) => {
  expect(fileSize(bytes)).toBe(text);
});
