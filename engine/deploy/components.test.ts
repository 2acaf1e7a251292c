import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, pushOf } from "../../tests/support/functions-harness";
import type { JsonValue } from "../types";

type Module = { path: string; source: string; environment: "isolate" | "node" };
type Definition = { definitionPath: string; definition: Module; schema: Module | null; functions: Module[] };
type Push = { appDefinition: { definition: Module }; componentDefinitions: Definition[] };

let pushed: string;
let harness: Harness;

beforeAll(async () => {
  pushed = JSON.stringify(await pushOf("components-app"));
  harness = await Harness.open();
  await harness.functions.deploy.env.update([
    { name: "OWNER", value: "ann" },
    { name: "CHAT_JWKS", value: "data:text/plain,{}" },
  ]);
  await harness.deploy(JSON.parse(pushed));
  await harness.mutation("app:addPage", { where: "notebook", title: "kept" });
}, 60_000);

afterAll(() => harness.discard());

/** The push of the fixture with one thing changed. */
function push(change: (push: Push) => void): JsonValue {
  const copy: Push & JsonValue = JSON.parse(pushed);
  change(copy);
  return copy;
}

const component = ({ componentDefinitions }: Push, folder: string): Definition => {
  const found = componentDefinitions.find(({ definitionPath }) => definitionPath === folder);
  if (found === undefined) throw new Error(`the push has no ${folder}`);
  return found;
};

/** Replaces a piece of a bundle; it has to be there. */
function replace(module: Module | null | undefined, old: string | RegExp, next: string): void {
  const before = module?.source ?? "";
  const after = before.replace(old, next);
  if (module == null || after === before) throw new Error(`the bundle has no ${old}`);
  module.source = after;
}

const inConfig = (old: string | RegExp, next: string) => () =>
  push(({ appDefinition }) => replace(appDefinition.definition, old, next));

const WITHOUT_DIARY = inConfig(/[\w$]+\.use\([\w$]+,\{name:"diary".*?\}\}\);/, "");

const NOTEBOOK = "../notebook";
const COUNTER = "../counter";

describe("a push with components", () => {
  test.each([
    [
      "a required variable that nothing is bound to",
      inConfig(/OWNER:\w+\.env\.OWNER,MODE:"loud"/, 'MODE:"loud"'),
      'Environment variables declared by component "notebook" are not set: OWNER.',
    ],
    [
      "a variable that the component does not declare",
      inConfig('MODE:"loud"', 'MODE:"loud",MOOD:"fine"'),
      'Component "notebook" declares no environment variable "MOOD".',
    ],
    [
      "a variable of another value than the component allows",
      inConfig('MODE:"loud"', 'MODE:"shrill"'),
      'The value of environment variable MODE declared by component "notebook" is invalid',
    ],
    [
      "two components of one name",
      inConfig('name:"diary"', 'name:"notebook"'),
      'Two components are mounted under the name "notebook".',
    ],
    [
      "a name that cannot be one",
      inConfig('name:"diary"', 'name:"my/diary"'),
      '"my/diary" cannot be the name of a component.',
    ],
    [
      "a mount of HTTP routes where there are none",
      inConfig(/(\w+)\.use\((\w+)\);/, '$1.use($2,{httpPrefix:"/limits/"});'),
      'Child component "rateLimiter" doesn\'t have any HTTP routes.',
    ],
    [
      "a mount across a prefix route",
      inConfig('httpPrefix:"/notebook/"', 'httpPrefix:"/app/"'),
      "HTTP mount /app/ is invalid: Overlap with existing prefix route",
    ],
    [
      "a component that mounts itself",
      () =>
        push((whole) => {
          const counter = component(whole, COUNTER);
          Object.assign(counter, { dependencies: [NOTEBOOK] });
        }),
      "mounts itself.",
    ],
    [
      "a component definition that is an app",
      () =>
        push((whole) => {
          const { definition } = component(whole, COUNTER);
          definition.source = 'export default { export: () => ({ definitionType: { type: "app" } }) };';
        }),
      "../counter/convex.config.ts must export the result of defineComponent().",
    ],
    [
      "a Node module in a component",
      () =>
        push((whole) => {
          const source = '"use node"; export const x = 1;';
          component(whole, NOTEBOOK).functions.push({ path: "machine.js", source, environment: "node" });
        }),
      'Node actions are not supported in components. Remove `"use node;"` from machine.js',
    ],
    [
      "a module of a component that throws",
      () =>
        push((whole) => {
          const source = 'throw new Error("while loading");';
          component(whole, COUNTER).functions.push({ path: "broken.js", source, environment: "isolate" });
        }),
      "Failed to analyze broken.js: Uncaught Error: while loading",
    ],
    [
      "a cron of a component that names a function of the app",
      () =>
        push((whole) => {
          const crons = component(whole, NOTEBOOK).functions.find(({ path }) => path === "crons.js");
          replace(crons, '"pages:add"', '"app:note"');
        }),
      "The cron job 'turn the page' schedules app.js:note, which is not a mutation or action of this push.",
    ],
    [
      "a schema that the rows of a component break",
      () =>
        push((whole) =>
          replace(component(whole, NOTEBOOK).schema, /title: (\w+)\.string\(\)/, "title: $1.number()"),
        ),
      /"componentPath":"notebook".*|"failed".*does not match the schema/,
    ],
  ])("and %s is refused, and what was deployed goes on", { timeout: 40_000 }, async (_what, body, text) => {
    await expect(harness.deploy(body())).rejects.toThrow(text);
    expect(await harness.query("app:titles", { where: "notebook" })).toContain("kept");
  });

  test("is described to the CLI: the tree, what each component exports, what is new", async () => {
    const fresh = await Harness.open();
    await fresh.functions.deploy.env.update([
      { name: "OWNER", value: "ann" },
      { name: "CHAT_JWKS", value: "data:text/plain,{}" },
    ]);
    const { deploy } = fresh.functions;
    expect(await deploy.evaluateSchema(JSON.parse(pushed))).toMatchObject({
      componentSchemaEvaluations: {
        "notebook/counter": {
          definitionPath: COUNTER,
          tables: [{ name: "counts", numDocs: 0 }],
          indexes: [{ name: "counts.by_name", change: "added" }],
        },
      },
      newComponentDefinitions: expect.arrayContaining([NOTEBOOK, COUNTER]),
    });
    const answer = await deploy.startPush(JSON.parse(pushed));
    expect(answer).toMatchObject({
      app: {
        childComponents: {
          diary: { componentPath: "diary", childComponents: { counter: { componentPath: "diary/counter" } } },
          notebook: {
            definitionPath: NOTEBOOK,
            httpRoutes: { mounts: ["/count/"] },
            exports: {
              pages: {
                type: "branch",
                children: {
                  add: {
                    type: "leaf",
                    resource: { path: { component: "notebook", udfPath: "pages.js:add" } },
                  },
                },
              },
            },
          },
        },
        httpRoutes: { mounts: ["/notebook/"] },
      },
      analysis: {
        [NOTEBOOK]: {
          definition: {
            exports: { branch: expect.arrayContaining([["pages", expect.anything()]]) },
            childComponents: [{ name: "counter", path: COUNTER }],
          },
          schema: { tables: expect.anything() },
          functions: { "pages.js": { functions: expect.anything() } },
        },
      },
      schemaChange: {
        allocatedComponentIds: { notebook: expect.any(String), "diary/counter": expect.any(String) },
      },
    });
    await fresh.discard();
  });

  test("tells what it changed in each component", async () => {
    const without = await harness.deploy(WITHOUT_DIARY());
    expect(without).toMatchObject({
      componentDiffs: {
        "": { diffType: { type: "modify" } },
        notebook: { diffType: { type: "modify" }, moduleDiff: { added: [], removed: [] } },
        diary: { diffType: { type: "unmount" }, cronDiff: { deleted: ["turn the page"] } },
        "diary/counter": { diffType: { type: "unmount" }, moduleDiff: { removed: expect.anything() } },
      },
    });
    const again = await harness.deploy(JSON.parse(pushed));
    expect(again).toMatchObject({
      componentDiffs: {
        diary: { diffType: { type: "remount" }, cronDiff: { added: ["turn the page"] } },
        "diary/counter": { diffType: { type: "remount" } },
      },
    });
  });

  test("leaves scheduled calls of a component that went to fail, not to wait for ever", async () => {
    await harness.mutation("app:scheduleInside", { title: "scheduled" });
    await harness.deploy(WITHOUT_DIARY());
    await harness.functions.start();
    const states = async () => {
      const { app } = (await harness.query("app:scheduled")) as { app: [string, string][] };
      return app.map(([, state]) => state).sort();
    };
    await harness.until(async () => !(await states()).includes("pending"));
    expect(await states()).toEqual(["failed", "success"]);
    await harness.deploy(JSON.parse(pushed));
  });

  test("gives components of older versions the arguments that they were mounted with", async () => {
    const withArguments = push((whole) => {
      const counter = component(whole, COUNTER);
      replace(
        counter.definition,
        /export\{(\w+) as default\}/,
        "const withArguments = { export: () => ({ ...$1.export(), envVars: undefined, definitionType: " +
          '{ type: "childComponent", name: "counter", args: [["step", { type: "value", value: \'{"type":"number"}\' }]] } }) };' +
          " export { withArguments as default }",
      );
      const notebook = component(whole, NOTEBOOK);
      replace(
        notebook.definition,
        /export\{(\w+) as default\}/,
        "const withArguments = { export: () => { const json = $1.export(); for (const child of json.childComponents) " +
          '{ child.env = []; child.args = [["step", { type: "value", value: "5" }]]; } return json; } };' +
          " export { withArguments as default }",
      );
      const source = `
        const make = (kind, run) => Object.assign(() => {}, {
          ["is" + kind]: true, isPublic: true, exportArgs: () => '{"type":"any"}', exportReturns: () => "null",
          ["invoke" + kind]: run,
        });
        const step = (name) => Convex.syscall("1.0/componentArgument", JSON.stringify({ name }));
        export const inQuery = make("Query", async () => step("step"));
        export const inAction = make("Action", async () => step("step"));
        export const missing = make("Query", async () => step("stride"));`;
      counter.functions.push({ path: "steps.js", source, environment: "isolate" });
    });
    await harness.deploy(withArguments);
    const call = (kind: "query" | "action", path: string) =>
      harness.functions[kind]({
        path,
        component: "notebook/counter",
        args: {},
        identity: { kind: "admin", actingAs: null },
        requestId: "0123456789abcdef",
      });
    expect((await call("query", "steps:inQuery")).outcome).toEqual({ ok: true, value: '{"value":5}' });
    expect((await call("action", "steps:inAction")).outcome).toEqual({ ok: true, value: '{"value":5}' });
    expect((await call("query", "steps:missing")).outcome).toEqual({ ok: true, value: "{}" });
    await harness.deploy(JSON.parse(pushed));
  });
});
