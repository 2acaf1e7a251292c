import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FaultPoint } from "../faults";
import { openSqlite } from "../storage/driver";
import { collect, fullScan, openTestDatabase } from "./test-database";

type Life = { openedAt: bigint; acked: { writer: number; n: number; ts: bigint }[] };

const CHILD = path.join(import.meta.dirname, "durability-child.ts");

/** Runs the writing process until it kills itself at a fault point, or is killed after some acknowledgements. */
async function live(
  dataDir: string,
  death: { at: FaultPoint; passes: number } | { afterAcks: number },
): Promise<Life> {
  const [point, passes] = "at" in death ? [death.at, death.passes] : ["none", 0];
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, dataDir, point, String(passes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let acks = 0;
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    output += text;
    acks += text.split("acked").length - 1;
    if ("afterAcks" in death && acks >= death.afterAcks) {
      child.kill("SIGKILL");
    }
  });
  const exited: unknown[] = await once(child, "close");
  expect(exited[1]).toBe("SIGKILL");
  const lines = output.split("\n").slice(0, -1);
  return {
    openedAt: BigInt(lines[0]?.split(" ")[1] ?? 0),
    acked: lines.slice(1).map((line) => {
      const [, writer, n, ts] = line.split(" ");
      return { writer: Number(writer), n: Number(n), ts: BigInt(ts ?? 0) };
    }),
  };
}

describe("a process that is killed", () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), "durability-"));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it("loses nothing that it acknowledged, leaves no half commit, and goes on where it was", async () => {
    const counts = new Map<string, number>();
    let newestTs = 0n;
    const deaths = [
      { afterAcks: 40 },
      { at: "before_flush", passes: 7 },
      { at: "mid_flush", passes: 4 },
      { at: "after_commit_before_publish", passes: 5 },
      { at: "after_publish", passes: 6 },
      { afterAcks: 200 },
    ] as const;
    for (const death of deaths) {
      const { openedAt, acked } = await live(dataDir, death);
      expect(openedAt >= newestTs).toBe(true);
      for (const { writer, n, ts } of acked) {
        const name = `${writer} ${n}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        expect(ts > openedAt).toBe(true);
        newestTs = ts > newestTs ? ts : newestTs;
      }
      const sqlite = openSqlite(path.join(dataDir, "engine.sqlite3"));
      expect(sqlite.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      sqlite.close();
      const test = await openTestDatabase({ dataDir });
      const query = test.begin("query", { unlimited: true });
      const rows = (table: string) =>
        collect(query, fullScan(table))
          .filter((doc) => doc["writer"] !== -1)
          .map((doc) => `${doc["writer"]} ${doc["n"]}`);
      const [left, right] = [rows("left"), rows("right")];
      expect(right).toEqual(left);
      for (const [name, acks] of counts) {
        expect(left.filter((row) => row === name).length).toBeGreaterThanOrEqual(acks);
      }
      expect(test.db.latestTs >= newestTs).toBe(true);
      await test.db.close();
    }
    expect(counts.size).toBeGreaterThan(100);
  }, 120_000);
});
