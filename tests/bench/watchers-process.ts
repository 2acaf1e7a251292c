import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import * as z from "zod";

/**
 * Started as a process of its own, so that the sockets of the dashboards cost the measuring process nothing. Opens
 * them, says "open" when each has its first answer, and tells how many updates they got when it is asked.
 */
const orderSchema = z.object({
  url: z.string(),
  sockets: z.array(
    z.object({ token: z.string(), queries: z.array(z.object({ path: z.string(), args: z.unknown() })) }),
  ),
});
type Order = z.infer<typeof orderSchema>;

let updates = 0;
let failures = 0;
let unanswered = 0;

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message === "count") report();
  else open(orderSchema.parse(message));
});

function report(): void {
  process.send?.({ updates, failures });
  updates = 0;
}

function open({ url, sockets }: Order): void {
  unanswered = sockets.length;
  for (const order of sockets) {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`, {
      perMessageDeflate: false,
    });
    socket.once("open", () => greet(socket, order));
    socket.on("message", (data: Buffer) => hear(data));
    socket.on("close", () => {
      failures++;
    });
  }
}

function greet(socket: WebSocket, { token, queries }: Order["sockets"][number]): void {
  const send = (message: object) => socket.send(JSON.stringify(message));
  const session = { sessionId: randomUUID(), connectionCount: 0, lastCloseReason: null, clientTs: 0 };
  send({ type: "Connect", ...session });
  send({ type: "Authenticate", baseVersion: 0, tokenType: "User", value: token });
  const modifications = queries.map(({ path, args }, queryId) => {
    return { type: "Add", queryId, udfPath: path, args: [args] };
  });
  send({ type: "ModifyQuerySet", baseVersion: 0, newVersion: 1, modifications });
}

/** Looks for words and parses nothing, because a thousand dashboards are a thousand machines in life. */
function hear(data: Buffer): void {
  if (data.includes('"QueryFailed"')) failures++;
  if (!data.includes('"QueryUpdated"')) return;
  updates++;
  if (unanswered > 0 && --unanswered === 0) process.send?.("open");
}
