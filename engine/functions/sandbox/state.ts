/** What a realm knows about the call that it serves. Modules of the realm share it; functions never see it. */
export type RealmState = {
  phase: "idle" | "import" | "run";
  nowMs: number;
  random: Random;
  sawClock: boolean;
};

export type Random = {
  /** A float in [0, 1). */
  next(): number;
  /** An unsigned 32-bit integer. */
  nextUint32(): number;
};

/**
 * sfc32, a small generator with 128 bits of state that passes PractRand. Functions may not need secrets from it:
 * queries and mutations are deterministic by law L2, on Convex as here.
 *
 * @param seed at least 32 hex digits
 */
export function createRandom(seed: string): Random {
  const word = (n: number) => Number.parseInt(seed.slice(n * 8, n * 8 + 8), 16) | 0;
  let a = word(0);
  let b = word(1);
  let c = word(2);
  let counter = word(3);
  const nextUint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) nextUint32();
  return {
    nextUint32,
    next: () => (nextUint32() * 2 ** 21 + (nextUint32() >>> 11)) / 2 ** 53,
  };
}
