import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { ROOT } from "../../local/env";

const json = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8"));

const { version } = z.looseObject({ version: z.string() }).parse(json("package.json"));

/** The rules of the registry's schema that apply to a server which everybody hosts themselves. */
const serverJson = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/)
    .max(200),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.literal(version),
  remotes: z
    .array(
      z.strictObject({
        type: z.literal("streamable-http"),
        url: z.string().regex(/^https:\/\/[^\s]+$/),
        variables: z.record(z.string(), z.looseObject({ description: z.string(), isRequired: z.boolean() })),
        headers: z.array(
          z.looseObject({
            name: z.string(),
            description: z.string(),
            value: z.string(),
            isRequired: z.boolean(),
            isSecret: z.boolean(),
            variables: z.record(z.string(), z.looseObject({ isSecret: z.boolean() })),
          }),
        ),
      }),
    )
    .min(1),
});

const manifest = z.looseObject({
  manifest_version: z.literal("0.4"),
  name: z.string().regex(/^[a-z0-9-]+$/),
  version: z.literal(version),
  description: z.string().min(1),
  author: z.looseObject({ name: z.string() }),
  server: z.strictObject({
    type: z.literal("node"),
    entry_point: z.string(),
    mcp_config: z.strictObject({
      command: z.literal("node"),
      args: z.array(z.string()),
      env: z.record(z.string(), z.string()),
    }),
  }),
  user_config: z.record(
    z.string(),
    z.looseObject({ type: z.literal("string"), title: z.string(), required: z.boolean() }),
  ),
});

const places = (text: string, form: RegExp): string[] =>
  [...text.matchAll(form)].map((match) => match[1] ?? "");

describe("server.json", () => {
  it("is what the registry takes, and fills every place of its addresses and headers", () => {
    const { remotes } = serverJson.parse(json("server.json"));
    for (const { url, variables, headers } of remotes) {
      expect(places(url, /\{(\w+)\}/g)).toEqual(Object.keys(variables));
      for (const header of headers) {
        expect(places(header.value, /\{(\w+)\}/g)).toEqual(Object.keys(header.variables));
        expect(header.isSecret).toBe(true);
      }
    }
  });
});

describe("the bundle's manifest", () => {
  const { server, user_config } = manifest.parse(json("mcpb/manifest.json"));

  it("asks for what the server needs, and keeps the key a secret", () => {
    const { env, args } = server.mcp_config;
    const asked = Object.values(env).flatMap((value) => places(value, /\$\{user_config\.(\w+)\}/g));
    expect(asked.toSorted()).toEqual(Object.keys(user_config).toSorted());
    expect(Object.keys(env)).toEqual(["PONS_URL", "PONS_API_KEY"]);
    expect(user_config["api_key"]).toMatchObject({ sensitive: true, required: true });
    expect(args).toEqual([`\${__dirname}/${server.entry_point}`]);
  });

  it("starts the server as one file without its packages, which tells what is wrong with its settings", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pons-mcpb-"));
    try {
      const outfile = path.join(folder, "index.mjs");
      await build({
        entryPoints: [path.join(ROOT, "src/mcp/stdio.ts")],
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        logLevel: "silent",
        banner: {
          js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
        },
      });
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [outfile],
        env: { PONS_URL: "http://127.0.0.1:9", PONS_API_KEY: "pons_live_x" },
        stderr: "ignore",
      });
      const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "legacy" } });
      await expect(client.connect(transport)).rejects.toThrow(/does not answer/);
      await client.close();
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
