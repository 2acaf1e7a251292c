import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../clock";
import { EngineError } from "../errors";

/** A request must have arrived wholly by then; Convex gives uploads, the longest ones, two minutes. */
const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 30_000;
/** Above the 60 s after which common proxies close an idle connection, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long running requests may take to end at shutdown. */
const DRAIN_MS = 5_000;

export type Listening = {
  server: Server;
  port: number;
  /** Stops accepting, waits for running requests (bounded) and closes every connection. */
  close(): Promise<void>;
};

/**
 * Opens an HTTP server at once, so that a taken port is known before anything else is set up.
 * Throws EngineError "overloaded" `PortInUse` with a sentence for the person at the shell.
 */
export async function listen(
  name: string,
  where: { host: string; port: number },
  clock: Clock,
  handle: RequestListener,
): Promise<Listening> {
  const { host, port } = where;
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    handle,
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, name, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo; // A server that listens on a TCP port has this kind of address.
  return { server, port: address.port, close: () => close(server, clock) };
}

function listenError(error: NodeJS.ErrnoException, name: string, host: string, port: number): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new EngineError(
        "overloaded",
        "PortInUse",
        `The ${name} port ${port} is in use: end the other program or choose another port.`,
        { cause: error },
      );
    case "EACCES":
      return new EngineError(
        "overloaded",
        "PortForbidden",
        `The ${name} port ${port} may not be opened by this user.`,
        {
          cause: error,
        },
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new EngineError("overloaded", "NoSuchHost", `${host} is not an address of this machine.`, {
        cause: error,
      });
    default:
      return error;
  }
}

async function close(server: Server, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cancel = clock.setTimer(DRAIN_MS, () => server.closeAllConnections());
  await closed;
  cancel();
}
