import http from "node:http";

export type HttpLoad = {
  /** Calls `POST /api/{kind}` and resolves when the answer was read; throws when it is not a success. */
  call(kind: "query" | "mutation", path: string, args: object): Promise<void>;
  /** The same, with the text of the answer: `{"status":"success","value":...}`. */
  ask(kind: "query" | "mutation", path: string, args: object): Promise<string>;
  close(): void;
};

/**
 * Plain requests over kept connections: as little work on the caller's side as there can be.
 * @param token who calls; nobody without it
 */
export function openHttpLoad(url: string, connections: number, token?: string): HttpLoad {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const ask: HttpLoad["ask"] = (kind, path, args) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ path, format: "convex_encoded_json", args: [args] });
      const headers = {
        ...identity,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      };
      const request = http.request(`${url}/api/${kind}`, { agent, method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          if (text.startsWith('{"status":"success"')) resolve(text);
          else reject(new Error(text.slice(0, 500)));
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  return {
    ask,
    call: async (kind, path, args) => {
      await ask(kind, path, args);
    },
    close: () => agent.destroy(),
  };
}
