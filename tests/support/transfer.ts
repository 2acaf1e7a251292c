import fs from "node:fs";
import path from "node:path";
import { z } from "zod";
import { tempDir } from "./engine-process";
import { writeZip } from "./zip-file";

export type Target = { cloudUrl: string; adminKey: string };

export type ImportOptions = {
  format: "zip" | "csv" | "jsonLines" | "jsonArray";
  table?: string;
  mode?: "requireEmpty" | "append" | "replace" | "replaceAll";
  component?: string;
};

const stateJson = z.object({
  state: z.object({
    state: z.string(),
    error_message: z.string().optional(),
    message_to_confirm: z.string().optional(),
    require_manual_confirmation: z.boolean().optional(),
    checkpoint_messages: z.array(z.string()).optional(),
  }),
});
export type ImportState = z.infer<typeof stateJson>["state"];

const POLL_MS = 20;

/** What the CLI calls for an import, without its start of a second or two. */
export class ImportClient {
  constructor(readonly target: Target) {}

  async post(route: string, body: BodyInit): Promise<unknown> {
    const response = await fetch(`${this.target.cloudUrl}/api/${route}`, {
      method: "POST",
      headers: { authorization: `Convex ${this.target.adminKey}` },
      body,
    });
    const json: unknown = JSON.parse((await response.text()) || "null");
    if (!response.ok) throw new Error(z.object({ message: z.string() }).parse(json).message);
    return json;
  }

  /** Uploads in parts of at most `partBytes`; answers the import's id. */
  async upload(content: Uint8Array, options: ImportOptions, partBytes = 5 * 1024 * 1024): Promise<string> {
    const { uploadToken } = z
      .object({ uploadToken: z.string() })
      .parse(await this.post("import/start_upload", ""));
    const partTokens: unknown[] = [];
    for (let at = 0; at < Math.max(1, content.length); at += partBytes) {
      const query = `uploadToken=${uploadToken}&partNumber=${partTokens.length + 1}`;
      partTokens.push(
        await this.post(`import/upload_part?${query}`, Uint8Array.from(content.subarray(at, at + partBytes))),
      );
    }
    const { table, component, ...rest } = options;
    const body = { import: { tableName: table, componentPath: component, ...rest }, uploadToken, partTokens };
    return z
      .object({ importId: z.string() })
      .parse(await this.post("import/finish_upload", JSON.stringify(body))).importId;
  }

  async state(importId: string): Promise<ImportState> {
    const body = { path: "_system/cli/queryImport", args: [{ importId }], format: "convex_encoded_json" };
    const answer = await this.post("query", JSON.stringify(body));
    return z.object({ value: stateJson }).parse(answer).value.state;
  }

  async waitFor(importId: string, ...states: string[]): Promise<ImportState> {
    for (;;) {
      const state = await this.state(importId);
      if (states.includes(state.state)) return state;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  confirm(importId: string): Promise<unknown> {
    return this.post("perform_import", JSON.stringify({ importId }));
  }

  /** The whole way; answers the last state, `completed` or `failed`. */
  async run(content: Uint8Array | string, options: ImportOptions): Promise<ImportState> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const id = await this.upload(bytes, options);
    const planned = await this.waitFor(id, "waiting_for_confirmation", "failed");
    if (planned.state === "failed") return planned;
    await this.confirm(id);
    return this.waitFor(id, "completed", "failed");
  }

  /** The same with a ZIP of these entries. */
  async zip(entries: Iterable<readonly [string, string]>, mode: ImportOptions["mode"] = "requireEmpty") {
    return this.run(await zipBytes(entries), { format: "zip", mode });
  }
}

export async function zipBytes(entries: Iterable<readonly [string, string]>): Promise<Buffer> {
  const folder = tempDir("zip");
  try {
    return fs.readFileSync(await writeZip(path.join(folder, "file.zip"), entries));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
