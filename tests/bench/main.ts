import { benchEngine } from "./engine";
import { FlagError } from "./flags";
import { benchGrowth } from "./growth";
import { benchIngest } from "./ingest";
import { benchMcp } from "./mcp";
import { benchSearch } from "./search";
import { benchSimulator } from "./simulator";

type Say = (line: string) => void;

const BENCHMARKS: Readonly<Record<string, (say: Say, flags: string[]) => Promise<object>>> = {
  engine: benchEngine,
  simulator: benchSimulator,
  search: benchSearch,
  ingest: benchIngest,
  growth: benchGrowth,
  mcp: benchMcp,
};

const [name = "", ...flags] = process.argv.slice(2);
const run = BENCHMARKS[name];
if (run === undefined) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")} [flags]\n`);
  process.exit(1);
}
try {
  const result = await run((line) => process.stdout.write(`${line}\n`), flags);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  if (!(error instanceof FlagError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
