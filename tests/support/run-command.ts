import { ROOT } from "../../local/env";
import { nodeArgs, startChild } from "../../local/process";

/** Runs one of the commands of package.json to its end, as its script does. */
export async function runScript(
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ ok: boolean; lines: string[] }> {
  const lines: string[] = [];
  const child = startChild({
    name: script,
    command: process.execPath,
    args: nodeArgs(`${ROOT}/${script}`, args),
    env: { ...process.env, ...env },
    onLine: (line) => lines.push(line),
  });
  const { ok } = await child.ended;
  return { ok, lines };
}
