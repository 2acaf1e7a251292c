import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { WebSocket } from "ws";

export type Subscribers = {
  /** Resolves with the time (of `performance.now`) at which the last of them had heard of `news`. */
  allHear(news: string): Promise<number>;
  close(): void;
};

/** Opens `count` sockets that each subscribe to the newest row of a group. They look for a text and parse nothing. */
export async function openSubscribers(url: string, count: number, group: string): Promise<Subscribers> {
  let waitsFor = "";
  let missing = 0;
  let done: (atMs: number) => void = () => undefined;
  const sockets: WebSocket[] = [];
  const expect = (text: string) =>
    new Promise<number>((resolve) => {
      waitsFor = text;
      missing = count;
      done = resolve;
    });
  const first = expect('"querySet":1');
  for (let n = 0; n < count; n++) {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`, {
      perMessageDeflate: false,
    });
    sockets.push(socket);
    socket.on("message", (data: Buffer) => {
      if (data.includes(waitsFor) && --missing === 0) done(performance.now());
    });
    socket.once("open", () => {
      const connect = { sessionId: randomUUID(), connectionCount: 0, lastCloseReason: null, clientTs: 0 };
      socket.send(JSON.stringify({ type: "Connect", ...connect }));
      const add = { type: "Add", queryId: 0, udfPath: "rows:newest", args: [{ group, rows: 1 }] };
      socket.send(
        JSON.stringify({ type: "ModifyQuerySet", baseVersion: 0, newVersion: 1, modifications: [add] }),
      );
    });
  }
  await first;
  return {
    allHear: (news) => expect(news),
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}
