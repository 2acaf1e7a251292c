import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, SHEENA, startBench } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

test("the page, its style and its script are served under a policy that forbids foreign scripts", async () => {
  for (const [path, type] of [
    ["/", "text/html"],
    ["/page.css", "text/css"],
    ["/client.js", "text/javascript"],
  ] as const) {
    const response = await fetch(bench.simulator.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect((await response.text()).length).toBeGreaterThan(500);
  }
});

test("no script of the page writes HTML", async () => {
  for (const file of await readdir(import.meta.dirname)) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const text = await readFile(`${import.meta.dirname}/${file}`, "utf8");
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser/);
  }
});

test("every id that the script looks for is on the page", async () => {
  const html = await (await fetch(bench.simulator.url)).text();
  const script = await (await fetch(`${bench.simulator.url}/client.js`)).text();
  const ids = [...script.matchAll(/byId\("([\w-]+)"/g)].map(([, id]) => id);
  expect(ids.length).toBeGreaterThan(10);
  for (const id of ids) expect(html).toContain(`id="${id}"`);
});

test("what happens is streamed as it happens", async () => {
  const abort = new AbortController();
  const response = await fetch(`${bench.simulator.url}/_sim/events`, { signal: abort.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body?.getReader();
  await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
  let text = "";
  while (!text.includes('"type":"delivery"'))
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
  expect(text).toContain('"type":"message"');
  abort.abort();
});

test("a file is shown with its own type and never sniffed", async () => {
  await bench.control("inbound", { from: SHEENA, type: "document", mime_type: "text/html", data: "PGI+" });
  const { media } = (await bench.control("state")).body;
  const response = await fetch(`${bench.simulator.url}/_sim/media/${media.at(-1)?.id}`);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("content-security-policy")).toBe("sandbox");
  expect(await response.text()).toBe("<b>");
  expect((await fetch(`${bench.simulator.url}/_sim/media/1`)).status).toBe(404);
});
