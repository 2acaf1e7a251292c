/// <reference types="vite/client" />
import rateLimiter from "@convex-dev/rate-limiter/test";
import { type GenericSchema, makeFunctionReference, type SchemaDefinition } from "convex/server";
import { expect, vi } from "vitest";
import schema from "../../fixtures/components-app/convex/schema";
import counterSchema from "../../fixtures/components-app/counter/schema";
import notebookSchema from "../../fixtures/components-app/notebook/schema";
import type { BackendName } from "./backend";
import { declareCase } from "./declare-case";
import type { Calls } from "./in-process-backend";

/** A folder of functions without generated code; the name of that folder tells where the functions begin. */
const code = (folder: string, glob: Record<string, () => Promise<unknown>>) => ({
  ...glob,
  [`../../fixtures/components-app/${folder}/_generated/api.js`]: async () => ({}),
});
const modules = code("convex", import.meta.glob("../../fixtures/components-app/convex/*.ts"));
const notebook = code("notebook", import.meta.glob("../../fixtures/components-app/notebook/*.ts"));
const counter = code("counter", import.meta.glob("../../fixtures/components-app/counter/*.ts"));

type Root = Calls & Parameters<typeof rateLimiter.register>[0];
type ConvexTest = (
  app: SchemaDefinition<GenericSchema, boolean>,
  glob: Record<string, () => Promise<unknown>>,
) => Root;

/** The app that `tests/conformance/components.test.ts` pushes to the engine, mounted in this process. */
function openApp(convexTest: ConvexTest) {
  vi.useFakeTimers({
    toFake: ["Date", "setTimeout", "clearTimeout"],
    now: Date.parse("2026-03-01T12:00:00Z"),
  });
  const t = convexTest(schema, modules);
  rateLimiter.register(t);
  for (const name of ["notebook", "diary"]) {
    t.registerComponent(name, notebookSchema, notebook);
    t.registerComponent(`${name}/counter`, counterSchema, counter);
  }
  return {
    query: (path: string, args = {}) => t.query(makeFunctionReference<"query">(path), args),
    mutation: (path: string, args = {}) => t.mutation(makeFunctionReference<"mutation">(path), args),
    action: (path: string, args = {}) => t.action(makeFunctionReference<"action">(path), args),
    settle: () => t.finishAllScheduledFunctions(() => vi.advanceTimersByTime(1000)),
    as: (subject: string) => {
      const user = t.withIdentity({ subject });
      return { action: (path: string) => user.action(makeFunctionReference<"action">(path), {}) };
    },
  };
}

type App = ReturnType<typeof openApp>;
type ComponentCase = { title: string; run(t: App): Promise<void> };
const rule = (title: string, run: (t: App) => Promise<void>): ComponentCase => ({ title, run });

/** Components as `registerComponent` mounts them; the engine's own cases are in components.test.ts. */
export const COMPONENT_RULES: readonly ComponentCase[] = [
  rule("the published rate limiter lets through what its window allows", async (t: App) => {
    const take = () => t.mutation("limits:take", { key: "ann" });
    expect(await take()).toMatchObject({ ok: true });
    expect(await take()).toMatchObject({ ok: true });
    expect(await take()).toMatchObject({ ok: false, retryAfter: 60_000 });
    expect(await t.query("limits:check", { key: "ann" })).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(await take()).toMatchObject({ ok: true });
  }),

  rule("the published rate limiter takes the caller's transaction down when it throws", async (t: App) => {
    const take = () => t.mutation("limits:takeOrThrow", { key: "ann" });
    await take();
    await take();
    await expect(take()).rejects.toMatchObject({ data: { kind: "RateLimited", name: "greet" } });
    expect(await t.query("app:events")).toEqual(["greeted ann", "greeted ann"]);
  }),

  rule("tables belong to one mount, nested ones included", async (t: App) => {
    await t.mutation("app:addPage", { where: "notebook", title: "one" });
    await t.mutation("app:addOwnPage", { title: "own" });
    expect(await t.query("app:titles", { where: "notebook" })).toEqual(["one"]);
    expect(await t.query("app:titles", { where: "diary" })).toEqual([]);
    expect(await t.query("app:ownTitles")).toEqual(["own"]);
  }),

  rule("a call into a component that fails takes back its own writes alone", async (t: App) => {
    expect(await t.mutation("app:survive", { title: "page" })).toContain("the page tears");
    expect(await t.query("app:titles", { where: "notebook" })).toEqual(["page kept"]);
    expect(await t.query("app:events")).toEqual(["before page", "after page"]);
    await expect(t.mutation("app:failAfterwards", { title: "gone" })).rejects.toThrow("too late");
    expect(await t.query("app:titles", { where: "notebook" })).toEqual(["page kept"]);
  }),

  rule("identities stay in the app", async (t: App) => {
    expect(await t.as("ann").action("app:whoIsWhere")).toEqual({
      here: "ann",
      inAppQuery: "ann",
      inQuery: null,
      inMutation: null,
      inAction: { here: null, inOwnQuery: null, calledBack: null },
    });
  }),

  rule("a component calls the app back through a handle, at once and later", async (t: App) => {
    await t.mutation("app:subscribe");
    expect(await t.mutation("app:callBack", { text: "now" })).toBe("noted now");
    expect(await t.action("app:callBackFromAction", { text: "from an action" })).toBe("noted from an action");
    await t.mutation("app:callBackLater", { text: "later" });
    await t.settle();
    expect(await t.query("app:events")).toEqual(["now", "from an action", "later"]);
  }),

  rule("scheduled calls run in the component that they name", async (t: App) => {
    await t.mutation("app:scheduleInside", { title: "scheduled" });
    await t.mutation("app:addLater", { title: "by itself" });
    await t.settle();
    expect(await t.query("app:titles", { where: "notebook" })).toEqual(["by itself", "scheduled"]);
    expect(await t.query("app:titles", { where: "diary" })).toEqual(["scheduled"]);
  }),
];

export function runComponentCases(name: BackendName, convexTest: ConvexTest): void {
  for (const { title, run } of COMPONENT_RULES) {
    declareCase(name, title, async () => {
      try {
        await run(openApp(convexTest));
      } finally {
        vi.useRealTimers();
      }
    });
  }
}
