import type { ServerResponse } from "node:http";
import type { Simulation } from "../simulation";

/** Proxies and browsers close a silent stream; a comment now and then keeps it. */
const KEEP_ALIVE_MS = 15_000;

/** Server-sent events: everything that happens from now on, one JSON object each. */
export function streamEvents(simulation: Simulation, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 1000\n\n");
  const stop = simulation.journal.listen((event) => response.write(`data: ${JSON.stringify(event)}\n\n`));
  const keepAlive = setInterval(() => response.write(": still here\n\n"), KEEP_ALIVE_MS);
  keepAlive.unref();
  response.once("close", () => {
    stop();
    clearInterval(keepAlive);
  });
}
