import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether two texts are equal, in a time that says nothing about where they differ. Hashing first makes the lengths
 * equal, so not even the length of the secret shows.
 */
export function equalInConstantTime(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
