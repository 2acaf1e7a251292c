import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import * as z from "zod";

export type WatcherOrder = { token: string; queries: { path: string; args: object }[] };

export type Watchers = {
  /** Updates since the last question, and what went wrong so far. */
  count(): Promise<{ updates: number; failures: number }>;
  close(): Promise<void>;
};

const PROCESS = fileURLToPath(new URL("./watchers-process.ts", import.meta.url));
const countsSchema = z.object({ updates: z.number(), failures: z.number() });

/** Opens one socket per order in a process of its own; resolves when each has its first answer. */
export async function openWatchers(url: string, sockets: readonly WatcherOrder[]): Promise<Watchers> {
  const child = fork(PROCESS, { execArgv: ["--import", "tsx"] });
  const ended = once(child, "exit");
  const answer = async (question: object | string): Promise<unknown> => {
    child.send(question);
    const failed = ended.then(() => Promise.reject(new Error("The process of the sockets ended.")));
    const [message] = await Promise.race([once(child, "message"), failed]);
    return message;
  };
  await answer({ url, sockets });
  return {
    count: async () => countsSchema.parse(await answer("count")),
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
