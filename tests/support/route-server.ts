import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";

/** A route function of the app behind a real socket on this machine, with streams and their ends as Next has them. */
export async function serveRoute(answer: (request: Request) => Promise<Response>) {
  const server = http.createServer(async (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const headers = new Headers(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value] as [string, string]] : [],
      ),
    );
    const method = request.method ?? "GET";
    const body = method === "POST" ? { body: await bytesOf(request) } : {};
    const url = new URL(request.url ?? "/", "http://localhost");
    const answered = await answer(new Request(url, { method, headers, signal: gone.signal, ...body }));
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    response.flushHeaders();
    for await (const chunk of answered.body ?? []) response.write(chunk);
    response.end();
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () =>
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bytesOf(stream: Readable): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
