import http from "node:http";
import { accountOfId, phoneNumberIdOf, phoneNumberOf } from "./webhook-bodies";

export type FakeGraph = {
  url: string;
  /** Message sends taken so far. */
  sends(): number;
  close(): Promise<void>;
};

/** Meta's Graph as far as a benchmark needs it, and as fast as can be: every number exists, every send is taken. */
export async function startFakeGraph(): Promise<FakeGraph> {
  let sends = 0;
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://graph");
    const [, , id = "", edge] = pathname.split("/");
    request.resume().once("end", () => {
      const isSend = request.method === "POST" && edge === "messages";
      if (isSend) sends++;
      // Facts about tokens are not told, which Meta does as well.
      response.statusCode = /^\d+$/.test(id) ? 200 : 400;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(isSend ? taken(sends) : known(id, edge)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The Graph has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    sends: () => sends,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A number by its own id, or the numbers of an account. */
function known(id: string, edge: string | undefined): object {
  const account = accountOfId(id);
  const number = { id: phoneNumberIdOf(account), display_phone_number: phoneNumberOf(account) };
  return edge === "phone_numbers" ? { data: [number] } : number;
}

const taken = (n: number) => ({
  messaging_product: "whatsapp",
  contacts: [],
  messages: [{ id: `wamid.BENCH-SENT-${process.pid}-${n}` }],
});
