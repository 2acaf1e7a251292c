import { writeSync } from "node:fs";
import { systemClock } from "../clock";
import { openDatabase } from "./database";

/**
 * A process that commits without end and says what was acknowledged, until it is killed: the other half of
 * `durability.test.ts`. Arguments: data directory, fault point to die at (or "none"), how often to pass it before.
 */
const [, , dataDir = "", dieAt = "none", passes = "0"] = process.argv;
let left = Number(passes);

const db = await openDatabase({
  dataDir,
  clock: systemClock,
  fsync: "full",
  log: (line) => writeSync(2, `${line}\n`),
  faults: {
    at: (point) => {
      if (point === dieAt) {
        left -= 1;
        if (left < 0) {
          process.kill(process.pid, "SIGKILL");
        }
      }
    },
  },
});
writeSync(1, `open ${db.latestTs}\n`);

/** One of several writers: each row holds its number twice, in the document and in a pair beside it. */
async function write(writer: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const transaction = db.begin({ kind: "mutation", nowMs: Date.now() });
    const insert = (table: string) =>
      transaction.call("1.0/insert", JSON.stringify({ table, value: { writer, n } }));
    insert("left");
    insert("right");
    const { ts } = await db.commit(transaction);
    // Synchronous, so that nothing acknowledged is lost in this process's own buffers.
    writeSync(1, `acked ${writer} ${n} ${ts}\n`);
  }
}

const setup = db.begin({ kind: "mutation", nowMs: Date.now() });
for (const table of ["left", "right"]) {
  if (!db.catalog.tableNames("").includes(table)) {
    setup.call("1.0/insert", JSON.stringify({ table, value: { writer: -1, n: -1 } }));
  }
}
await db.commit(setup);
await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
