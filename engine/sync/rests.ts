import type { Clock } from "../clock";

/**
 * How long a query rests after a run. A change after a quiet time is shown at once; under a storm of writes a query
 * runs 20 times a second, which no eye can tell from more.
 */
const REST_MS = 50;

export interface Rests {
  /** The query under this key has begun to run. */
  begin(key: string): void;
  has(key: string): boolean;
  /** Resolves when all that rest now have rested; at once if none does. */
  end(): Promise<void>;
  clear(): void;
}

/**
 * Which queries ran a moment ago. All of them end their rest together: clients that wait for several queries, of which
 * some are shared with others, then find a moment at which all may run.
 */
export function createRests(clock: Clock): Rests {
  const resting = new Set<string>();
  let ending: Promise<void> | null = null;

  const open = () => {
    ending = new Promise((resolve) => {
      clock.setTimer(REST_MS, () => {
        resting.clear();
        ending = null;
        resolve();
      });
    });
  };

  return {
    begin(key) {
      resting.add(key);
      if (ending === null) {
        open();
      }
    },
    has: (key) => resting.has(key),
    end: async () => {
      await ending;
    },
    clear: () => resting.clear(),
  };
}
