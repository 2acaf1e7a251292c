import net from "node:net";
import { LocalError } from "./local-error";

/** Ends the command before anything is started when a port is taken, so that nothing is left half running. */
export async function requireFreePorts(ports: { name: string; port: number }[]): Promise<void> {
  const seen = new Map<number, string>();
  for (const { name, port } of ports) {
    const other = seen.get(port);
    if (other) throw new LocalError(`${name} and ${other} are both ${port}: give them different ports.`);
    seen.set(port, name);
    if (!(await isFree(port))) {
      throw new LocalError(`Port ${port} is taken: stop what listens there, or set ${name} to another port.`);
    }
  }
}

/** A port that was free a moment ago, for tests and demonstrations. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port");
  return address.port;
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
