import type { GenericSchema, SchemaDefinition } from "convex/server";
import rateLimiterSchema from "../../node_modules/@convex-dev/rate-limiter/dist/component/schema.js";

/** The part of a test backend, of convex-test's or of the engine's, that mounts components. */
interface Mounts {
  registerComponent(
    path: string,
    schema: SchemaDefinition<GenericSchema, boolean>,
    modules: Record<string, () => Promise<unknown>>,
  ): void;
}

/**
 * Mounts the components of `convex/convex.config.ts`. The rate limiter's own test helper finds its modules by a macro
 * that only runs in files which the test runner transforms, and packages are not, so they are named here.
 */
export function mountComponents(backend: Mounts): void {
  backend.registerComponent("rateLimiter", rateLimiterSchema, {
    "./_generated/api.js": () =>
      import("../../node_modules/@convex-dev/rate-limiter/dist/component/_generated/api.js"),
    "./lib.js": () => import("../../node_modules/@convex-dev/rate-limiter/dist/component/lib.js"),
  });
}
