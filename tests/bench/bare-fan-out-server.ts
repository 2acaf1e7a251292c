import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** Started as a process of its own: whatever is posted to it goes to every socket. Prints its address. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.end("{}");
    const text = Buffer.concat(chunks).toString();
    for (const socket of sockets.clients) socket.send(text);
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new TypeError("The server has no port.");
  process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
