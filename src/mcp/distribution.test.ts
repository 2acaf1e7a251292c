import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { ROOT } from "../../local/env";
import { packBundle } from "../../local/mcpb-bundle";
import { type InProcess, inboundText, SITE_URL, startInProcess } from "../../tests/support/in-process";
import { serveRoute } from "../../tests/support/route-server";
import { readZip } from "../../tests/support/zip-file";

const json = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8"));

const { version } = z.looseObject({ version: z.string() }).parse(json("package.json"));

/** `Input` and `KeyValueInput` of the registry's schema; a misspelt field would be ignored there and is refused here. */
const input = {
  description: z.string().optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  format: z.enum(["string", "number", "boolean", "filepath"]).optional(),
  default: z.string().optional(),
  placeholder: z.string().optional(),
  choices: z.array(z.string()).optional(),
};
const variables = z.record(z.string(), z.strictObject(input));
const headerInput = z.strictObject({ ...input, name: z.string(), value: z.string(), variables });

/** The registry's schema of 2025-12-11, as far as it concerns a server that everybody hosts themselves. */
const serverJson = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.literal(version),
  remotes: z
    .array(
      z.strictObject({
        type: z.enum(["streamable-http", "sse"]),
        url: z.string().regex(/^https?:\/\/[^\s]+$/),
        variables,
        headers: z.array(headerInput),
      }),
    )
    .min(1),
});

/** The manifest's schema 0.3 (package @anthropic-ai/mcpb 2.1.2), which takes no field that it does not know. */
const launch = {
  command: z.string(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
};
const manifestShape = z.strictObject({
  $schema: z.string(),
  manifest_version: z.literal("0.3"),
  name: z.string().regex(/^[a-z0-9-]+$/),
  display_name: z.string(),
  version: z.literal(version),
  description: z.string().min(1),
  long_description: z.string().optional(),
  author: z.strictObject({ name: z.string(), email: z.email().optional(), url: z.url().optional() }),
  license: z.string(),
  icon: z.string(),
  keywords: z.array(z.string()).optional(),
  server: z.strictObject({
    type: z.enum(["python", "node", "binary"]),
    entry_point: z.string(),
    mcp_config: z.strictObject({
      ...launch,
      platform_overrides: z.record(z.string(), z.strictObject(launch).partial()).optional(),
    }),
  }),
  tools_generated: z.boolean().optional(),
  prompts_generated: z.boolean().optional(),
  user_config: z.record(
    z.string(),
    z.strictObject({
      type: z.enum(["string", "number", "boolean", "directory", "file"]),
      title: z.string(),
      description: z.string(),
      required: z.boolean().optional(),
      sensitive: z.boolean().optional(),
    }),
  ),
  compatibility: z.strictObject({
    claude_desktop: z.string().optional(),
    platforms: z.array(z.enum(["darwin", "win32", "linux"])).optional(),
    runtimes: z.strictObject({ python: z.string().optional(), node: z.string().optional() }).optional(),
  }),
});

const places = (text: string, form: RegExp): string[] =>
  [...text.matchAll(form)].map((match) => match[1] ?? "");

describe("the links that install in one click", () => {
  const page = fs.readFileSync(path.join(ROOT, "content/docs/connect-mcp.mdx"), "utf8");
  const [link = ""] = places(page, /\((cursor:[^)]+)\)/g);
  const [other = ""] = places(page, /\((vscode:[^)]+)\)/g);
  const url = "http://localhost:3000/api/mcp";

  it("say what the page says, and carry no key", () => {
    expect(places(page, /"url": "([^"]+)"/g).every((written) => written === url)).toBe(true);
    const cursor = new URL(link).searchParams;
    expect(cursor.get("name")).toBe("pons");
    expect(JSON.parse(Buffer.from(cursor.get("config") ?? "", "base64").toString())).toEqual({
      url,
      headers: { Authorization: `Bearer \${env:PONS_API_KEY}` },
    });
    expect(JSON.parse(decodeURIComponent(other.replace("vscode:mcp/install?", "")))).toEqual({
      name: "pons",
      type: "http",
      url,
      headers: { Authorization: `Bearer \${input:pons_key}` },
      inputs: [{ type: "promptString", id: "pons_key", description: "API key of Pons", password: true }],
    });
  });
});

describe("server.json", () => {
  it("is what the registry takes, and fills every place of its addresses and headers", () => {
    const { remotes } = serverJson.parse(json("server.json"));
    for (const { url, variables, headers } of remotes) {
      expect(places(url, /\{(\w+)\}/g)).toEqual(Object.keys(variables));
      for (const header of headers) {
        expect(places(header.value, /\{(\w+)\}/g)).toEqual(Object.keys(header.variables));
        expect(header.isSecret).toBe(true);
        expect(Object.values(header.variables).every(({ isSecret }) => isSecret === true)).toBe(true);
      }
    }
  });
});

describe("the bundle for desktop clients", () => {
  const manifest = manifestShape.parse(json("mcpb/manifest.json"));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pons-mcpb-"));
  const bundle = path.join(folder, "pons.mcpb");
  const unpacked = path.join(folder, "unpacked");
  let product: InProcess;
  let key: string;
  let site: Awaited<ReturnType<typeof serveRoute>>;

  beforeAll(async () => {
    product = await startInProcess();
    const { id } = await product.addBusiness();
    ({ key } = await product.createKey(id, ["read", "send"]));
    const { answerMcp } = await import("./endpoint");
    site = await serveRoute(answerMcp);
    await packBundle(bundle);
    for (const [name, content] of await readZip(bundle)) {
      fs.mkdirSync(path.dirname(path.join(unpacked, name)), { recursive: true });
      fs.writeFileSync(path.join(unpacked, name), content);
    }
  }, 60_000);
  afterAll(async () => {
    await (await import("./push/streams")).closeAllStreams();
    await site.close();
    await (await import("./audit")).drainAudit();
    await product.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Starts the server as a client does: as the manifest says, with what its person filled in, and nothing else. */
  const start = async (settings: { url: string; api_key: string }, protocol: "2026-07-28" | "legacy") => {
    const { command, args = [], env = {} } = manifest.server.mcp_config;
    const filled = (text: string) =>
      text
        .replaceAll(/\$\{__dirname\}/g, unpacked)
        .replaceAll(/\$\{user_config\.(\w+)\}/g, (_, name) =>
          name === "url" ? settings.url : settings.api_key,
        );
    expect(command).toBe("node");
    const client = new Client(
      { name: "desktop", version: "1" },
      { versionNegotiation: { mode: protocol === "legacy" ? "legacy" : { pin: protocol } } },
    );
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: args.map(filled),
        env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])),
        cwd: folder,
        stderr: "ignore",
      }),
    );
    return client;
  };

  it("asks for what the server needs, and keeps the key a secret", () => {
    const { mcp_config, entry_point } = manifest.server;
    const asked = Object.values(mcp_config.env ?? {}).flatMap((value) =>
      places(value, /\$\{user_config\.(\w+)\}/g),
    );
    expect(asked.toSorted()).toEqual(Object.keys(manifest.user_config).toSorted());
    expect(Object.keys(mcp_config.env ?? {})).toEqual(["PONS_URL", "PONS_API_KEY"]);
    expect(manifest.user_config["api_key"]).toMatchObject({ sensitive: true, required: true });
    expect(mcp_config.args).toEqual([`\${__dirname}/${entry_point}`]);
  });

  it("holds the manifest, its picture, one program and the licenses, and is the same each time", async () => {
    const again = path.join(folder, "again.mcpb");
    const names = await packBundle(again);
    expect(names).toEqual([
      "manifest.json",
      manifest.icon,
      manifest.server.entry_point,
      "LICENSE",
      "licenses/zod.txt",
    ]);
    expect([...(await readZip(bundle)).keys()]).toEqual(names);
    expect(fs.readFileSync(again).equals(fs.readFileSync(bundle))).toBe(true);
    const program = fs.readFileSync(path.join(unpacked, manifest.server.entry_point), "utf8");
    const required = places(program, /require\("([^"]+)"\)/g);
    expect(required.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });

  it.each(["2026-07-28", "legacy"] as const)("serves a client of %s by Node alone", async (protocol) => {
    const client = await start({ url: site.url, api_key: key }, protocol);
    try {
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain("send_text");
      const { takeDelivery } = await import("../server/webhook");
      const { body, signature } = await inboundText(`By ${protocol}`);
      const headers = { "x-hub-signature-256": signature };
      await takeDelivery(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
      const read = await client.callTool({
        name: "get_conversation",
        arguments: { contact: "+16505551234" },
      });
      expect(JSON.stringify(read.structuredContent)).toContain(`By ${protocol}`);
      const text = `Hello from ${protocol}`;
      const sent = await client.callTool({ name: "send_text", arguments: { contact: "+16505551234", text } });
      expect(sent.structuredContent).toMatchObject({ outcome: "accepted" });
    } finally {
      await client.close();
    }
  });

  it("tells what is wrong with its settings", async () => {
    const nobody = start({ url: "http://127.0.0.1:9", api_key: key }, "legacy");
    await expect(nobody).rejects.toThrow(/does not answer/);
    const wrongKey = start({ url: site.url, api_key: "pons_live_x" }, "legacy");
    await expect(wrongKey).rejects.toThrow(/not valid/);
    await expect(start({ url: "http://example.com", api_key: key }, "legacy")).rejects.toThrow();
  });
});
