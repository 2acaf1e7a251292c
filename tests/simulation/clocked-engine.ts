import * as z from "zod";
import { parseCommandLine } from "../../engine/command-line";
import { startEngine } from "../../engine/engine";
import { FAULT_POINTS, type FaultPoint } from "../../engine/faults";
import { jumpingClock } from "../support/jumping-clock";

/**
 * The engine's command with a clock that its parent moves forward: `{ jumpMs }` over the IPC channel. `CLOCK_AHEAD_MS`
 * says how far ahead it begins, so that a process that follows a killed one goes on at the same time. After `{ dieAt }`
 * it ends itself with SIGKILL at that fault point.
 */
const message = z.object({ jumpMs: z.number().optional(), dieAt: z.enum(FAULT_POINTS).optional() });
let dieAt: FaultPoint | undefined;

const clock = jumpingClock();
clock.jump(Number(process.env["CLOCK_AHEAD_MS"] ?? "0"));
process.on("message", (received) => {
  const { jumpMs, dieAt: point } = message.parse(received);
  if (jumpMs !== undefined) clock.jump(jumpMs);
  dieAt = point;
  process.send?.("heard");
});
process.on("disconnect", () => process.exit(1));

const options = parseCommandLine(process.argv.slice(2), () => undefined);
if (options === "help") throw new Error("This is not the place to ask for help.");
const engine = await startEngine({
  ...options,
  clock,
  faults: {
    at: (point) => {
      if (point === dieAt) process.kill(process.pid, "SIGKILL");
    },
  },
});
process.on("SIGTERM", () => void engine.close().then(() => process.exit(0)));
process.send?.("ready");
