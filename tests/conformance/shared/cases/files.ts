import { expect } from "vitest";
import { type Backend, rule } from "../backend";

const store = (t: Backend, text: string, type?: string) =>
  t.action<string>("files:store", { text, ...(type !== undefined && { type }) });

/** SHA-256 of "abc" (FIPS 180-2, B.1). */
const ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

export const fileRules = [
  rule("an action stores a file and reads it", async (t) => {
    const id = await store(t, "abc", "text/plain");
    expect(await t.action("files:read", { id })).toEqual({ text: "abc", size: 3, type: "text/plain" });
  }),

  rule("a stored file has a row, with its digest in base64 and its size", async (t) => {
    const id = await store(t, "abc");
    expect(await t.query("files:row", { id })).toMatchObject({
      _id: id,
      size: 3,
      sha256: Buffer.from(ABC_SHA256, "hex").toString("base64"),
    });
  }),

  rule("the row of a file tells its type", async (t) => {
    const id = await store(t, "abc", "text/plain");
    expect(await t.query("files:row", { id })).toMatchObject({ contentType: "text/plain" });
  }),

  rule("metadata of a file have its digest in hex", async (t) => {
    const id = await store(t, "abc", "text/plain");
    expect(await t.query("files:metadata", { id })).toEqual({
      storageId: id,
      sha256: ABC_SHA256,
      size: 3,
      contentType: "text/plain",
    });
  }),

  rule("the URL of a file stays the same, and is null once the file is gone", async (t) => {
    const id = await store(t, "abc");
    const url = await t.query<string>("files:url", { id });
    expect(new URL(url).pathname).toMatch(/^\/api\/storage\/.+/);
    expect(await t.query("files:url", { id })).toBe(url);
    await t.mutation("files:remove", { id });
    expect(await t.query("files:url", { id })).toBeNull();
    expect(await t.action("files:read", { id })).toBeNull();
    expect(await t.query("files:row", { id })).toBeNull();
  }),

  rule("the URL of a file does not give its id or digest away", async (t) => {
    const id = await store(t, "abc");
    const url = await t.query<string>("files:url", { id });
    expect(url).not.toContain(id);
    expect(url).not.toContain(ABC_SHA256);
    expect(decodeURIComponent(url)).not.toContain(Buffer.from(ABC_SHA256, "hex").toString("base64"));
  }),

  rule("a deletion in a mutation that throws did not happen", async (t) => {
    const id = await store(t, "abc");
    await expect(t.mutation("files:removeThenFail", { id })).rejects.toThrow();
    expect(await t.action("files:read", { id })).toMatchObject({ text: "abc" });
  }),

  rule("an action deletes a file", async (t) => {
    const id = await store(t, "abc");
    await t.action("files:removeFromAction", { id });
    expect(await t.action("files:read", { id })).toBeNull();
  }),

  rule("a file that is gone cannot be deleted again", async (t) => {
    const id = await store(t, "abc");
    await t.mutation("files:remove", { id });
    expect(await t.mutation("files:tryRemove", { id })).not.toBe("nothing was thrown");
  }),

  rule("an upload URL carries a token, and is another one each time", async (t) => {
    const urls = [
      await t.mutation<string>("files:uploadUrl"),
      await t.action<string>("files:uploadUrlFromAction"),
    ];
    for (const url of urls) expect(new URL(url).searchParams.get("token")).toBeTruthy();
    expect(new Set(urls).size).toBe(2);
  }),

  rule("mutations cannot store or read files", async (t) => {
    for (const text of await t.mutation<string[]>("files:storeInMutation")) {
      expect(text).not.toBe("nothing was thrown");
    }
  }),
];
