import { benchEngine } from "./engine";
import { benchSearch } from "./search";
import { benchSimulator } from "./simulator";

const BENCHMARKS: Readonly<Record<string, (say: (line: string) => void) => Promise<object>>> = {
  engine: benchEngine,
  simulator: benchSimulator,
  search: benchSearch,
};

const name = process.argv[2] ?? "";
const run = BENCHMARKS[name];
if (run === undefined) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")}\n`);
  process.exit(1);
}
const result = await run((line) => process.stdout.write(`${line}\n`));
process.stdout.write(`${JSON.stringify(result)}\n`);
