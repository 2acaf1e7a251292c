import { PassThrough } from "node:stream";
import { vi } from "vitest";
import * as z from "zod";
import { type Bridge, bridgeStdio } from "../../src/mcp/stdio-bridge";

const line = z.looseObject({
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.looseObject({ capabilities: z.looseObject({}) }).optional(),
});

/** The bare end of a pipe to an installation, for what no SDK shows: a client of 2025 that has begun its session. */
export async function openPipe(bridge: Omit<Bridge, "input" | "output">) {
  const input = new PassThrough();
  const output = new PassThrough();
  const lines: z.infer<typeof line>[] = [];
  output.on("data", (chunk: Buffer) => {
    for (const text of chunk.toString().split("\n").filter(Boolean)) lines.push(line.parse(JSON.parse(text)));
  });
  const done = bridgeStdio({ ...bridge, input, output });
  const send = (message: object) => input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const clientInfo = { name: "test", version: "1" };
  send({
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
  });
  const capabilities = await vi.waitFor(
    () => {
      const begun = lines[0]?.result?.capabilities;
      if (begun === undefined) throw new Error("The session has not begun.");
      return begun;
    },
    { timeout: 30_000, interval: 20 },
  );
  send({ method: "notifications/initialized" });
  return {
    capabilities,
    /** The params of every notification of this name so far. */
    told: (name: string): unknown[] =>
      lines.filter(({ method }) => method === name).map(({ params }) => params),
    close: async () => {
      input.end();
      await done;
    },
  };
}
