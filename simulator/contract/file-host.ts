import { createServer } from "node:http";

const FILES: Readonly<Record<string, readonly [contentType: string, bytes: number]>> = {
  "/plant.jpg": ["image/jpeg", 3_000],
  "/care.mp4": ["video/mp4", 3_000],
  "/care.pdf": ["application/pdf", 3_000],
  "/tip.mp3": ["audio/mpeg", 3_000],
  "/tip.ogg": ["audio/ogg; codecs=opus", 3_000],
  "/leaf.webp": ["image/webp", 3_000],
  "/empty.jpg": ["image/jpeg", 0],
  "/huge.jpg": ["image/jpeg", 5 * 1024 * 1024 + 1],
  "/page.html": ["text/html", 100],
};

export interface FileHost {
  readonly url: string;
  close(): Promise<void>;
}

/** A web server as a business has it for the files that it sends by link. `/broken` cuts the connection. */
export async function startFileHost(): Promise<FileHost> {
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const file = FILES[path];
    if (path === "/broken") request.socket.resetAndDestroy();
    else if (path === "/moved.jpg") response.writeHead(302, { location: "/plant.jpg" }).end();
    else if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": file[0] }).end(Buffer.alloc(file[1], 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The file host has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
