import {
  actionGeneric,
  type FunctionReference,
  type FunctionVisibility,
  type GenericActionCtx,
  type GenericDataModel,
  type GenericMutationCtx,
  getFunctionAddress,
  mutationGeneric,
  queryGeneric,
} from "convex/server";
import { convexToJson, jsonToConvex, type Value } from "convex/values";
import { canonicalPath } from "../functions/path";
import type { RunResult } from "../functions/run-function";
import type { InnerCall } from "../functions/transactional-calls";
import type { FunctionKind, Identity, JsonValue } from "../types";
import { addressIn } from "./addresses";
import { SITE_ORIGIN, type TestBackend } from "./backend";
import type { InlineFunction } from "./live-calls";
import { methodOf } from "./syscalls";
import { toThrow } from "./thrown";

/** Who calls, as the test has it. */
export type Caller = { identity: Identity; ip?: string; userAgent?: string };

type Reference = FunctionReference<FunctionKind, FunctionVisibility>;
/** A function that a test wrote in place. `convex/server` gives it its context. */
type Handler = (ctx: object) => Promise<unknown>;

/** Module names that `ctx.meta` shows for functions without a path. */
const INLINE = "inline";
const RUN = "custom";

/** The calls of one caller on one backend. All throw what the function threw. */
export class Accessor {
  readonly #open: () => Promise<TestBackend>;
  readonly #caller: Caller;

  constructor(open: () => Promise<TestBackend>, caller: Caller) {
    this.#open = open;
    this.#caller = caller;
  }

  async call(kind: FunctionKind, target: Reference | Handler, args: unknown): Promise<unknown> {
    return typeof target === "function" ? this.#inline(kind, target) : this.#named(kind, target, args);
  }

  async #named(kind: FunctionKind, target: Reference, args: unknown): Promise<unknown> {
    const backend = await this.#open();
    const address = addressIn(getFunctionAddress(target), "");
    if (address === null) throw new Error("This is not a reference to a function.");
    await backend.release.load(address);
    const call = this.#callOf(backend, canonicalPath(address.path), encodeArgs(args));
    return this.#run(backend, kind, { ...call, component: address.component });
  }

  #inline(kind: FunctionKind, handler: Handler): Promise<unknown> {
    const generic = { query: queryGeneric, mutation: mutationGeneric, action: actionGeneric }[kind];
    return this.#runInline(kind, INLINE, generic({ handler }), false);
  }

  /** `t.run`: a mutation that also has the file storage of an action. */
  run(body: (ctx: GenericMutationCtx<GenericDataModel>) => Promise<unknown>): Promise<unknown> {
    const registered = mutationGeneric({
      handler: async (ctx: GenericMutationCtx<GenericDataModel>) =>
        body({ ...ctx, storage: await actionStorage() }),
    });
    return this.#runInline("mutation", RUN, registered, true);
  }

  async #runInline(
    kind: FunctionKind,
    name: string,
    registered: object,
    storesFiles: boolean,
  ): Promise<unknown> {
    const backend = await this.#open();
    const call = this.#callOf(backend, name, {});
    const inline: InlineFunction = {
      spec: {
        component: "",
        path: { module: `${name}.js`, name: "default" },
        kind,
        visibility: "internal",
        environment: "isolate",
        args: { type: "any" },
        returns: null,
      },
      registered,
      storesFiles,
    };
    backend.runInline(call, inline);
    return this.#run(backend, kind, call);
  }

  async #run(backend: TestBackend, kind: FunctionKind, call: InnerCall): Promise<unknown> {
    const { transactional, actions } = backend;
    const { result } =
      kind === "query"
        ? await transactional.query(call, null)
        : kind === "mutation"
          ? await transactional.mutation(call, null)
          : await actions.action(call);
    return decode(result);
  }

  async fetch(path: string, init: RequestInit | undefined): Promise<Response> {
    if (!path.startsWith("/")) throw new Error("Path given to `t.fetch` must start with a `/`");
    const backend = await this.#open();
    const router: unknown = (await backend.release.exportsOf("", "http.js"))?.["default"];
    if (typeof router !== "object" || router === null) {
      return new Response("This Convex deployment does not have HTTP actions enabled.", { status: 404 });
    }
    const url = new URL(`${SITE_ORIGIN}${path}`);
    const request = new Request(url, init);
    const lookup: unknown = Reflect.get(router, "lookup");
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found: unknown = typeof lookup === "function" ? lookup.call(router, url.pathname, method) : null;
    if (!Array.isArray(found)) return new Response("No matching routes found", { status: 404 });
    const call = this.#callOf(backend, "http", {});
    return backend.actions.http(Object(found[0]), { module: "http.js", name: "default" }, call, request);
  }

  #callOf(backend: TestBackend, path: string, args: JsonValue): InnerCall {
    const { identity, ip, userAgent } = this.#caller;
    return {
      component: "",
      path,
      args,
      identity,
      requestId: backend.requestId(),
      caller: { ...(ip !== undefined && { ip }), ...(userAgent !== undefined && { userAgent }) },
      trusted: true,
      scheduledJob: null,
      from: "HttpApi",
    };
  }
}

/** The file storage of an action: `convex/server` makes one for each. */
async function actionStorage(): Promise<GenericActionCtx<GenericDataModel>["storage"]> {
  return new Promise((resolve, reject) => {
    const holder = actionGeneric({
      handler: async ({ storage }: GenericActionCtx<GenericDataModel>) => resolve(storage),
    });
    methodOf(holder, "invokeAction")("", "[{}]").catch(reject);
  });
}

/** The one argument object of a call. Throws for what is no object, or has no form in JSON. */
function encodeArgs(args: unknown): JsonValue {
  if (args === undefined) return {};
  const prototype: unknown =
    typeof args === "object" && args !== null ? Object.getPrototypeOf(args) : undefined;
  // Objects of another realm have another Object.prototype, whose own prototype is null all the same.
  const isPlain =
    prototype === null ||
    (typeof prototype === "object" && prototype !== null && Object.getPrototypeOf(prototype) === null);
  if (!isPlain) {
    throw new Error(`The arguments to a Convex function must be an object. Received: ${String(args)}`);
  }
  // What is no value of Convex is refused by the conversion.
  return JSON.parse(JSON.stringify(convexToJson(args as Value)));
}

function decode(result: RunResult): Value {
  if (!result.ok) throw toThrow(result.error);
  return jsonToConvex(JSON.parse(result.value));
}
