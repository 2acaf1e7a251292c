import * as z from "zod";
import { parseCommandLine } from "../../engine/command-line";
import { startEngine } from "../../engine/engine";
import { FAULT_POINTS, type FaultPoint } from "../../engine/faults";

/**
 * The engine's command with one addition: it ends itself with SIGKILL at a fault point that its parent names, once it
 * serves. Arguments are those of the engine; the parent listens and speaks over the IPC channel.
 */
const message = z.object({ dieAt: z.enum(FAULT_POINTS) });
const pagesMax = Number(process.env["FAULTY_PAGES_MAX"] ?? Number.NaN);
let dieAt: FaultPoint | null = null;

process.on("message", (received) => {
  dieAt = message.parse(received).dieAt;
  process.send?.("armed");
});
process.on("disconnect", () => process.exit(1));

const options = parseCommandLine(process.argv.slice(2), () => undefined);
if (options === "help") throw new Error("This is not the place to ask for help.");
const engine = await startEngine({
  ...options,
  ...(Number.isNaN(pagesMax) ? {} : { pagesMax }),
  faults: {
    at: (point) => {
      if (point === dieAt) process.kill(process.pid, "SIGKILL");
    },
  },
});
process.on("SIGTERM", () => void engine.close().then(() => process.exit(0)));
process.send?.("ready");
