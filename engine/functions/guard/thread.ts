import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { ASLEEP, IDLE, LIMIT_MS, RUNNING, STATE, STRETCH, STRIKING } from "./cells";

/** The thread of `ThreadGuard`: looks at the clock while the main thread cannot. Started as bundled text. */
const cells: Int32Array = workerData;

/** How exact limits are. */
const LOOK_EVERY_MS = 25;
/** Looks without anything new, after which it sleeps until it is woken: one second. */
const LOOKS_BEFORE_SLEEP = 40;

let stretch = Atomics.load(cells, STRETCH);
let sinceMs = performance.now();
let looksWithoutNews = 0;
let isStriking = false;

function look(): void {
  const current = Atomics.load(cells, STRETCH);
  if (current !== stretch) {
    stretch = current;
    sinceMs = performance.now();
    looksWithoutNews = 0;
    return;
  }
  if (Atomics.load(cells, STATE) === RUNNING) {
    if (performance.now() - sinceMs >= Atomics.load(cells, LIMIT_MS) && !isStriking) {
      strike();
    }
    return;
  }
  looksWithoutNews += 1;
  if (looksWithoutNews >= LOOKS_BEFORE_SLEEP && !isStriking) {
    sleep();
  }
}

/** Ends what the main thread runs. Where that is over by then, the main thread waits for it: nothing else may be hit. */
function strike(): void {
  if (Atomics.compareExchange(cells, STATE, RUNNING, STRIKING) !== RUNNING) {
    return;
  }
  isStriking = true;
  const session = new Session();
  session.connectToMainThread();
  // Answered when the main thread runs something else again.
  session.post("Runtime.terminateExecution", () => {
    isStriking = false;
    session.disconnect();
  });
  // Cannot be heard before the blow has landed.
  parentPort?.postMessage("struck");
}

function sleep(): void {
  looksWithoutNews = 0;
  Atomics.store(cells, ASLEEP, 1);
  // A stretch that began just before did not see the sign.
  if (Atomics.load(cells, STATE) === IDLE) {
    Atomics.wait(cells, ASLEEP, 1);
  }
  Atomics.store(cells, ASLEEP, 0);
}

setInterval(look, LOOK_EVERY_MS);
