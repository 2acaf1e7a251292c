import { parseArgs } from "node:util";
import { openStage } from "./stage";
import { playWeek } from "./week";

/**
 * `npm run test:simulate -- --seed N` plays the week of one seed and tells each step; `--seeds 20 --from 1` plays
 * several and tells each week. Ends with exit code 1 at the first thing that must not happen, with its seed.
 */
const { values } = parseArgs({
  options: { seed: { type: "string" }, seeds: { type: "string" }, from: { type: "string" } },
});
const from = Number(values.seed ?? values.from ?? "1");
const count = values.seed === undefined ? Number(values.seeds ?? "20") : 1;
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count) || count < 1) {
  process.stderr.write("Give --seed N, or --seeds HOW_MANY with --from N, as whole numbers.\n");
  process.exit(1);
}
const stage = await openStage();
try {
  for (let seed = from; seed < from + count; seed++) {
    const say = (line: string) => void (values.seed !== undefined && process.stdout.write(`${line}\n`));
    const { steps, inbound, outbound, kills, unknown } = await playWeek(
      seed,
      stage.template,
      stage.meta,
      say,
    );
    process.stdout.write(
      `seed ${seed}: ok, ${steps} steps, ${inbound} messages in, ${outbound} out (${unknown} unknown), ${kills} kills\n`,
    );
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stage.close();
}
