import net from "node:net";

/** A door in front of a server's port through which a test breaks the line as networks do. */
export type TcpGate = {
  url: string;
  /** Breaks every connection that there is; new ones are let in. */
  cut(): void;
  /** Breaks every connection and lets nobody in until `open`. */
  shut(): void;
  open(): void;
  /** From now on the server hears its clients, and nothing comes back, until `open`. */
  mute(): void;
  close(): Promise<void>;
};

export async function openTcpGate(targetPort: number): Promise<TcpGate> {
  const sockets = new Set<net.Socket>();
  let mode: "open" | "shut" | "mute" = "open";
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = net.createServer((client) => {
    if (mode === "shut") {
      client.destroy();
      return;
    }
    const upstream = net.connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // Either end may go at any time; the other one goes with it.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (mode !== "mute") client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo; // A TCP server has this kind of address.
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    shut() {
      mode = "shut";
      cut();
    },
    open() {
      // What was swallowed is missing from the middle of the stream: those connections are of no use any more.
      if (mode === "mute") cut();
      mode = "open";
    },
    mute() {
      mode = "mute";
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
