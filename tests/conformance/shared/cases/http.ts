import { expect } from "vitest";
import { rule } from "../backend";

export const httpRules = [
  rule("an HTTP action sees the request and makes the answer", async (t) => {
    const response = await t.fetch("/echo", { method: "POST", body: "hello", headers: { "x-sent": "yes" } });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-seen")).toBe("yes");
    expect(await response.text()).toBe("hello");
  }),

  rule("an exact route comes before prefixes, and the longest prefix first", async (t) => {
    const text = async (path: string) => (await t.fetch(path)).text();
    expect(await text("/exact?a=1")).toBe("exact ?a=1");
    expect(await text("/exact/ly")).toBe("short");
    expect(await text("/exact/deep/er")).toBe("deep");
  }),

  rule("a request that no route takes is answered with 404", async (t) => {
    expect((await t.fetch("/nowhere")).status).toBe(404);
    expect((await t.fetch("/exact", { method: "POST" })).status).toBe(404);
  }),

  rule("HEAD is routed as GET", async (t) => {
    expect((await t.fetch("/exact", { method: "HEAD" })).status).toBe(200);
  }),

  rule("an HTTP action calls internal functions", async (t) => {
    expect(await (await t.fetch("/database")).json()).toEqual(["over http"]);
  }),

  rule("an HTTP action knows who calls", async (t) => {
    expect(await (await t.fetch("/whoami")).json()).toBeNull();
    const user = await t.as("ana");
    expect(await (await user.fetch("/whoami")).json()).toBe("ana");
  }),

  rule("an HTTP action stores files", async (t) => {
    const response = await t.fetch("/file", { method: "POST", body: "stored" });
    expect(await response.text()).toBe("stored");
  }),
];
