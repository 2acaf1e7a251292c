import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StoredWrites } from "./stored-writes";

export type BareWebhooks = { logUrl: string; docsUrl: string; close(): Promise<void> };

const SERVER = fileURLToPath(new URL("./bare-webhook-server.ts", import.meta.url));

/** Starts the servers that do no more than an ingest has to, which is what the product is compared with. */
export async function openBareWebhooks(folder: string, writes: StoredWrites): Promise<BareWebhooks> {
  const file = path.join(folder, "writes.json");
  fs.writeFileSync(file, JSON.stringify(writes));
  const child = spawn(process.execPath, ["--import", "tsx", SERVER, folder, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const first = once(createInterface(child.stdout), "line");
  const [url] = await Promise.race([first, ended.then(() => Promise.reject(new Error("It did not start.")))]);
  return {
    logUrl: `${url}/log`,
    docsUrl: `${url}/docs`,
    async close() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
