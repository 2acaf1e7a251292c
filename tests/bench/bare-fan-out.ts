import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

export type BareFanOut = {
  /** Sends a text to every socket; resolves when the server has answered the request that asked for it. */
  say(text: string): Promise<void>;
  /** Resolves with the time (of `performance.now`) at which the last socket had heard of `news`. */
  allHear(news: string): Promise<number>;
  close(): Promise<void>;
};

const SERVER = fileURLToPath(new URL("./bare-fan-out-server.ts", import.meta.url));

/** The limit of a fan-out on this machine: a process that sends one text to `count` sockets and does nothing else. */
export async function openBareFanOut(count: number): Promise<BareFanOut> {
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new TypeError("The server has no output.");
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  let waitsFor = "";
  let missing = 0;
  let done: (atMs: number) => void = () => undefined;
  const sockets = Array.from({ length: count }, () => {
    const socket = new WebSocket(url.replace("http", "ws"), { perMessageDeflate: false });
    socket.on("message", (data: Buffer) => {
      if (data.includes(waitsFor) && --missing === 0) done(performance.now());
    });
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  return {
    async say(text) {
      await (await fetch(url, { method: "POST", body: text })).arrayBuffer();
    },
    allHear: (news) =>
      new Promise((resolve) => {
        waitsFor = news;
        missing = count;
        done = resolve;
      }),
    async close() {
      for (const socket of sockets) socket.terminate();
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
