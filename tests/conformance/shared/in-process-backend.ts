/// <reference types="vite/client" />
import { makeFunctionReference, type UserIdentity } from "convex/server";
import { vi } from "vitest";
import schema from "../../fixtures/conformance-app/convex/schema";
import { type Args, type Backend, type BackendName, ISSUER } from "./backend";

const modules = {
  ...import.meta.glob("../../fixtures/conformance-app/convex/**/*.ts"),
  // The fixture has no generated code; the folder's name tells where the functions begin.
  "../../fixtures/conformance-app/convex/_generated/api.js": async () => ({}),
};

export type Calls = {
  query(reference: ReturnType<typeof makeFunctionReference<"query">>, args: Args): Promise<unknown>;
  mutation(reference: ReturnType<typeof makeFunctionReference<"mutation">>, args: Args): Promise<unknown>;
  action(reference: ReturnType<typeof makeFunctionReference<"action">>, args: Args): Promise<unknown>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  finishAllScheduledFunctions(advanceTimers: () => void): Promise<void>;
  withIdentity(identity: Partial<UserIdentity>): Calls;
};

/** `convexTest`, as the package and the engine's testkit both offer it. */
type ConvexTest = (fixture: typeof schema, glob: typeof modules) => Calls;

/** A new backend in this process, with the fixture's functions and fake timers. */
export async function openInProcess(name: BackendName, convexTest: ConvexTest): Promise<Backend> {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  return backendOf(name, convexTest(schema, modules));
}

function backendOf(name: BackendName, t: Calls): Backend {
  // Only the case knows what a function answers.
  return {
    name,
    query: async <Result>(path: string, args: Args = {}) =>
      (await t.query(makeFunctionReference<"query">(path), args)) as Result,
    mutation: async <Result>(path: string, args: Args = {}) =>
      (await t.mutation(makeFunctionReference<"mutation">(path), args)) as Result,
    action: async <Result>(path: string, args: Args = {}) =>
      (await t.action(makeFunctionReference<"action">(path), args)) as Result,
    fetch: (path, init) => t.fetch(path, init),
    as: async (subject) => backendOf(name, t.withIdentity({ issuer: ISSUER, subject })),
    settle: () => t.finishAllScheduledFunctions(() => vi.advanceTimersByTime(1000)),
    close: async () => {
      vi.useRealTimers();
    },
  };
}
