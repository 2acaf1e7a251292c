import path from "node:path";
import { defineConfig } from "vitest/config";

const alias = { "@": path.resolve(import.meta.dirname, "src") };

/** One project per runtime or kind of proof, so that each file is checked where its code will run. */
export default defineConfig({
  test: {
    // One per core of the smallest machine that runs them all; vitest itself would leave one core idle.
    maxWorkers: 2,
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          environment: "node",
          include: ["{shared,engine,simulator,local,src}/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        resolve: { alias },
        test: { name: "dom", environment: "happy-dom", include: ["src/**/*.test.tsx"] },
      },
      {
        resolve: { alias },
        test: {
          name: "convex",
          environment: "edge-runtime",
          include: ["convex/**/*.test.ts"],
          server: { deps: { inline: ["convex-test"] } },
        },
      },
      {
        // The same files on the engine: what holds on convex-test holds there, too.
        resolve: {
          alias: { ...alias, "convex-test": path.resolve(import.meta.dirname, "engine/testkit/index.ts") },
        },
        test: {
          name: "convex-on-engine",
          environment: "edge-runtime",
          include: ["convex/**/*.test.ts"],
        },
      },
      { resolve: { alias }, test: { name: "tidy", environment: "node", include: ["tests/*.test.ts"] } },
      {
        resolve: { alias },
        test: {
          name: "conformance",
          environment: "node",
          // Its test helper is TypeScript that finds its modules with import.meta.glob.
          server: { deps: { inline: [/@convex-dev\/rate-limiter/] } },
          include: ["tests/conformance/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "simulation",
          environment: "node",
          include: ["tests/simulation/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "flows",
          environment: "node",
          include: ["tests/flows/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
