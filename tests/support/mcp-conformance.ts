import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import * as z from "zod";
import { ROOT } from "../../local/env";
import { startChild } from "../../local/process";
import { tempDir } from "./engine-process";

const SUITE = path.join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
const LOADER = path.join(ROOT, "tests/support/conformance-loader.mjs");

const check = z.looseObject({
  id: z.string(),
  status: z.enum(["SUCCESS", "FAILURE", "WARNING", "INFO", "SKIPPED"]),
  errorMessage: z.string().optional(),
});
export type Check = z.infer<typeof check> & { scenario: string };

/**
 * Runs one scenario of the official conformance suite against a server and gives back each of its checks. The suite
 * has no way to send a credential, so a proxy on the loopback address adds it and changes nothing else.
 */
export async function runScenario(options: {
  url: string;
  key: string;
  revision: string;
  scenario: string;
}): Promise<Check[]> {
  const proxy = await startBearerProxy(options.url, options.key);
  const out = tempDir("conformance");
  try {
    const child = startChild({
      name: `conformance ${options.scenario}`,
      command: process.execPath,
      args: [
        ...["--import", LOADER, SUITE, "server"],
        ...["--url", proxy.url, "--scenario", options.scenario, "--spec-version", options.revision],
        ...["--output-dir", out],
      ],
      env: process.env,
      onLine: () => undefined,
    });
    // The exit code also tells of warnings and of checks that need the suite's own fixtures; the report is judged.
    await child.ended;
    return readChecks(out, options.scenario);
  } finally {
    await proxy.close();
    fs.rmSync(out, { recursive: true, force: true });
  }
}

function readChecks(folder: string, scenario: string): Check[] {
  const reports = fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => path.basename(file) === "checks.json");
  if (reports.length === 0) throw new Error(`The conformance suite wrote no report of ${scenario}`);
  return reports.flatMap((file) =>
    z
      .array(check)
      .parse(JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")))
      .map((row) => ({ ...row, scenario })),
  );
}

/** Forwards every request as it is, streams included, with the key as bearer where the request names none. */
async function startBearerProxy(target: string, key: string) {
  const { hostname, port, pathname } = new URL(target);
  const server = http.createServer((request, response) => {
    const authorization = request.headers.authorization ?? `Bearer ${key}`;
    const upstream = http.request(
      {
        hostname,
        port,
        method: request.method,
        path: request.url,
        headers: { ...request.headers, authorization },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
  const listening = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  return {
    url: `http://127.0.0.1:${listening}${pathname}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
