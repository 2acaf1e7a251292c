import { expect } from "vitest";
import { rule } from "../backend";

export const globalRules = [
  rule("a query sees one moment, however long it takes", async (t) => {
    expect(await t.query("globals:moments")).toBe(1);
  }),

  rule("queries and mutations have no network and no timers", async (t) => {
    for (const refused of [
      await t.query<Record<string, string>>("globals:refusedInQuery"),
      await t.mutation<Record<string, string>>("globals:refusedInMutation"),
    ]) {
      for (const text of Object.values(refused)) expect(text).not.toBe("nothing was thrown");
    }
  }),

  rule("queries have digests, randomness, URLs and text coding", async (t) => {
    expect(await t.query("globals:allowed")).toEqual({
      digest: [0xba, 0x78, 0x16, 0xbf],
      uuid: 36,
      random: true,
      url: "?b=c",
      text: "hi",
      base64: "hello",
    });
  }),

  rule("actions have timers and the network", async (t) => {
    expect(await t.action("globals:inAction")).toEqual({ fetch: "function", text: "body" });
  }),
];
