import { analyzeModule, reportDefinition } from "./analyze";
import { atob, btoa } from "./base64";
import { createRequest, RealmBlob, RealmResponse } from "./body";
import { structuredClone } from "./clone";
import { createConsole } from "./console";
import { createCrypto } from "./crypto";
import { RealmAbortController, RealmAbortSignal, RealmEvent, RealmEventTarget } from "./events";
import { defineGlobals, removeGlobals } from "./globals";
import { RealmHeaders } from "./headers";
import { createModules } from "./modules";
import type { HostPort, RealmPort, RealmSetup } from "./port";
import { createRandom, type RealmState } from "./state";
import { RealmTextDecoder, RealmTextEncoder } from "./text";
import { describeThrown, plainStacks } from "./thrown";
import { createDate, createPerformance } from "./time";
import { createUrl, RealmURLSearchParams } from "./url";

const SEE_ACTIONS =
  "Please consider using an action. See https://docs.convex.dev/functions/actions for more details.";

type Pending = { resolve(value: string): void; reject(error: unknown): void };

/** Furnishes a fresh context as Convex furnishes the runtime of queries and mutations, and hands out its controls. */
export function boot(host: HostPort, setupJson: string): RealmPort {
  const setup: RealmSetup = JSON.parse(setupJson);
  const state: RealmState = {
    phase: "idle",
    nowMs: setup.importTimeMs,
    random: createRandom(setup.importSeed),
    sawClock: false,
  };
  const pending = new Map<number, Pending>();
  let nextCall = 0;

  plainStacks();
  furnish(state, host, setup);
  defineGlobals({ Convex: createSyscalls(host, state, pending, () => nextCall++) });
  const modules = createModules(host.load);

  /** Modules see the moment and the seed of the deployment while they load, whenever that is. */
  const loadFirst = (path: string): void => {
    const { nowMs, random } = state;
    state.phase = "import";
    state.nowMs = setup.importTimeMs;
    state.random = createRandom(setup.importSeed);
    modules.load(path);
    state.nowMs = nowMs;
    state.random = random;
  };

  return {
    begin(nowMs, seed) {
      pending.clear();
      state.nowMs = nowMs;
      state.sawClock = false;
      state.random = createRandom(seed);
    },

    invoke(path, name, kind, argsJson) {
      const fail = (error: unknown) => host.finish(false, JSON.stringify(describeThrown(error)));
      try {
        if (!modules.has(path)) loadFirst(path);
        state.phase = "run";
        const registered: unknown = modules.load(path)[name];
        const invoke: unknown = Reflect.get(
          Object(registered),
          kind === "query" ? "invokeQuery" : "invokeMutation",
        );
        if (typeof invoke !== "function") throw new Error(`${path}:${name} is not a ${kind}.`);
        const result: Promise<unknown> = invoke.call(registered, argsJson);
        result.then((value) => host.finish(true, String(value)), fail);
      } catch (error) {
        fail(error);
      }
    },

    answer(id, ok, payload) {
      const waiting = pending.get(id);
      pending.delete(id);
      if (ok) waiting?.resolve(payload);
      else waiting?.reject(Object.assign(new Error(), JSON.parse(payload)));
    },

    analyze(path) {
      state.phase = "import";
      return JSON.stringify(analyzeModule(modules, path));
    },

    define(path, what) {
      state.phase = "import";
      return JSON.stringify(reportDefinition(modules, path, what));
    },
  };
}

function createSyscalls(
  host: HostPort,
  state: RealmState,
  pending: Map<number, Pending>,
  nextCall: () => number,
): object {
  const outsideCall = (): Error =>
    new Error("Convex system calls can only be made while a function runs, not while its module loads.");
  return Object.freeze({
    syscall(op: string, argsJson: string): string {
      if (state.phase !== "run") throw outsideCall();
      const answer = host.syscall(op, argsJson);
      if (answer.startsWith("+")) return answer.slice(1);
      throw new Error(answer.slice(1));
    },
    asyncSyscall(op: string, argsJson: string): Promise<string> {
      if (state.phase !== "run") return Promise.reject(outsideCall());
      return new Promise((resolve, reject) => {
        const id = nextCall();
        pending.set(id, { resolve, reject });
        host.enqueue(id, op, argsJson);
      });
    },
    jsSyscall(op: string): never {
      throw new Error(`Unknown operation ${op}`);
    },
  });
}

function furnish(state: RealmState, host: HostPort, setup: RealmSetup): void {
  const url = createUrl(host);
  const refuse = (what: string) => (): never => {
    throw new Error(`Can't use ${what} in queries and mutations. ${SEE_ACTIONS}`);
  };
  const refused = (what: string) =>
    class {
      constructor() {
        refuse(what)();
      }
    };
  // It stands still for the whole call, so that a rerun of a mutation sees the same moment (law L2).
  const now = (): number => {
    if (state.phase === "run" && !state.sawClock) {
      state.sawClock = true;
      host.sawClock();
    }
    return state.nowMs;
  };
  removeGlobals(["SharedArrayBuffer", "Atomics", "WebAssembly"]);
  Math.random = () => state.random.next();
  defineGlobals({
    Date: createDate(now),
    performance: createPerformance(state),
    console: createConsole(
      (level, text) => host.log(level, text),
      () => state.nowMs,
    ),
    process: { env: setup.strictEnv ? strictEnv(setup.env) : { ...setup.env } },
    TextEncoder: RealmTextEncoder,
    TextDecoder: RealmTextDecoder,
    atob,
    btoa,
    structuredClone,
    URL: url,
    URLSearchParams: RealmURLSearchParams,
    Headers: RealmHeaders,
    Blob: RealmBlob,
    Request: createRequest((input) => new url(input).href),
    Response: RealmResponse,
    Event: RealmEvent,
    EventTarget: RealmEventTarget,
    AbortController: RealmAbortController,
    AbortSignal: RealmAbortSignal,
    ...createCrypto(state, host),
    queueMicrotask: (run: () => void) => {
      void Promise.resolve().then(run);
    },
    fetch: async () => refuse("fetch()")(),
    setTimeout: refuse("setTimeout"),
    setInterval: refuse("setInterval"),
    clearTimeout: () => undefined,
    clearInterval: () => undefined,
    ReadableStream: refused("ReadableStream"),
    WritableStream: refused("WritableStream"),
    TransformStream: refused("TransformStream"),
    FormData: refused("FormData"),
    // Collection must not be observable: a reference never goes away and nothing is ever told of.
    WeakRef: class {
      readonly #target: unknown;
      constructor(target: unknown) {
        this.#target = target;
      }
      deref(): unknown {
        return this.#target;
      }
    },
    FinalizationRegistry: class {
      register(): void {}
      unregister(): boolean {
        return false;
      }
    },
  });
}

/** auth.config.ts may only read variables that are set; the name in the text is what the CLI shows. */
const strictEnv = (env: { [name: string]: string }): { [name: string]: string } =>
  new Proxy(env, {
    get(target, name) {
      if (typeof name !== "string") return undefined;
      const value = Object.hasOwn(target, name) ? target[name] : undefined;
      if (value === undefined) {
        throw new Error(`Environment variable ${name} is used in auth config file but its value was not set`);
      }
      return value;
    },
  });
