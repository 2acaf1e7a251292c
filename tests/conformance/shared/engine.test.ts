import { afterAll, beforeAll } from "vitest";
import { startSharedEngine } from "./engine-backend";
import { runSharedCases } from "./run-cases";

let engine: Awaited<ReturnType<typeof startSharedEngine>>;
beforeAll(async () => {
  engine = await startSharedEngine();
});
afterAll(() => engine.discard());

runSharedCases("engine", () => engine.open());
