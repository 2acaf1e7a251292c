import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors";
import { isJsonObject, parseJson } from "../json";
import { sqliteFailure } from "./driver";
import { lockFile } from "./owner-lock";

const LOCK_FILE = "engine.lock";
/** Empty, and never removed: a lock on a file that is gone keeps nobody out. */
const OWNER_FILE = "engine.owner";

/** Tokens that this process holds: its own pid in a lock file proves nothing, containers often reuse pid 1. */
const heldTokens = new Set<string>();

type Holder = { pid: number; token: string; startedAt: string | null };

/**
 * Claims a data directory for this process (law L7). Answers what gives it back.
 *
 * The file says who holds the directory, so that a second process can end with a sentence that names it. What truly
 * keeps the second one out is the lock that the holder keeps on a second file; it also settles the race
 * of two processes that find the same stale file.
 *
 * Throws EngineError `DataDirectoryInUse` while the process of an earlier claim lives.
 */
export function lockDirectory(dataDir: string): () => void {
  const file = path.join(dataDir, LOCK_FILE);
  const holder = readHolder(file);
  if (holder !== null && isAlive(holder)) {
    throw directoryInUse(dataDir, holder.pid);
  }
  const unlock = lockOwner(path.join(dataDir, OWNER_FILE), dataDir);
  const token = randomUUID();
  const draft = `${file}.${token}`;
  const claim: Holder = { pid: process.pid, token, startedAt: startOf(process.pid) };
  writeFileSync(draft, JSON.stringify(claim));
  renameSync(draft, file);
  heldTokens.add(token);
  return () => {
    heldTokens.delete(token);
    if (readHolder(file)?.token === token) {
      rmSync(file, { force: true });
    }
    unlock();
  };
}

function lockOwner(file: string, dataDir: string): () => void {
  try {
    return lockFile(file);
  } catch (error) {
    throw sqliteFailure(error) === "busy" ? directoryInUse(dataDir, null) : error;
  }
}

/** The error for a second process; `pid` is null where it is not known. */
export function directoryInUse(dataDir: string, pid: number | null): EngineError {
  const who = pid === null ? "another process" : `process ${pid}`;
  return new EngineError(
    "internal",
    "DataDirectoryInUse",
    `The data directory ${dataDir} is in use by ${who}: stop it first, or choose another directory.`,
  );
}

function readHolder(file: string): Holder | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
  if (text === "") {
    return null;
  }
  const json = parseJson(text, `The lock file ${file}`);
  if (!isJsonObject(json) || typeof json["pid"] !== "number" || typeof json["token"] !== "string") {
    return null;
  }
  const startedAt = json["startedAt"];
  return {
    pid: json["pid"],
    token: json["token"],
    startedAt: typeof startedAt === "string" ? startedAt : null,
  };
}

/** Whether the very process that wrote the file still runs, not one that got its number later. */
function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) {
    return heldTokens.has(holder.token);
  }
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const startedAt = startOf(holder.pid);
  return startedAt === null || holder.startedAt === null || startedAt === holder.startedAt;
}

/**
 * When a process started, as the kernel counts (field 22 of /proc/<pid>/stat, plus the boot it belongs to); null where
 * there is no such file.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // The second field is the program's name in parentheses and may hold spaces.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${boot}/${ticks}`;
  } catch {
    // Not Linux, or not allowed to look: the number of the process has to do.
    return null;
  }
}
