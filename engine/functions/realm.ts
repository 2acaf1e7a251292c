import vm from "node:vm";
import { bundle } from "../bundle";
import { cryptoAnswer } from "./host-crypto";
import type { Program } from "./program";
import type { HostPort, ModuleBody, RealmPort, RealmSetup } from "./sandbox/port";

/** What a call hears of the realm that runs it. */
export type RealmListener = {
  syscall(op: string, argsJson: string): string;
  enqueue(id: number, op: string, argsJson: string): void;
  log(level: string, text: string): void;
  sawClock(): void;
  finish(ok: boolean, payload: string): void;
  /** A promise was rejected and nobody listened: the call fails, as on Convex. */
  unhandled(reason: unknown): void;
};

const DRAIN = new vm.Script("0", { filename: "engine:/drain" });

let bootScript: vm.Script | undefined;

/** Promise prototypes of living realms: the only way from a rejected promise back to its realm. */
const owners = new WeakMap<object, Realm>();

/**
 * A sandbox for queries and mutations: a context of its own with the globals that Convex gives and no others. It
 * serves one call at a time. Not a wall against hostile code, which V8 contexts are not.
 */
export class Realm {
  readonly #context: vm.Context;
  readonly #port: RealmPort;
  #listener: RealmListener | null = null;
  #result: Uint8Array = new Uint8Array(0);

  /** The realm that made a promise, if one of them did. */
  static ownerOf(promise: object): Realm | undefined {
    const prototype: unknown = Object.getPrototypeOf(promise);
    return typeof prototype === "object" && prototype !== null ? owners.get(prototype) : undefined;
  }

  constructor(program: Program, setup: RealmSetup) {
    // An ordinary global object: a contextified one would send every look at `JSON` or `Map` through interceptors,
    // which makes functions several times slower.
    this.#context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
      microtaskMode: "afterEvaluate",
      codeGeneration: { strings: false, wasm: false },
    });
    bootScript ??= new vm.Script(
      `(function () { const module = { exports: {} }, exports = module.exports;\n${bundle("functions/sandbox/main.ts", "neutral")}\nreturn module.exports.boot; })()`,
      { filename: "engine:/realm" },
    );
    const boot: (host: HostPort, setup: string) => RealmPort = bootScript.runInContext(this.#context);
    this.#port = boot(this.#hostPort(program), JSON.stringify(setup));
    owners.set(new vm.Script("Promise.prototype").runInContext(this.#context), this);
  }

  get port(): RealmPort {
    return this.#port;
  }

  /** Ties the realm to a call until `release`. */
  lease(listener: RealmListener): void {
    this.#listener = listener;
  }

  release(): void {
    this.#listener = null;
  }

  /** Runs everything that waits on the realm's own microtask queue. */
  drain(): void {
    DRAIN.runInContext(this.#context);
  }

  unhandled(reason: unknown): void {
    this.#listener?.unhandled(reason);
  }

  #hostPort(program: Program): HostPort {
    return {
      load: (path) => {
        const script = program.script(path);
        if (script === null) return null;
        const body: ModuleBody = script.runInContext(this.#context);
        return body;
      },
      syscall: (op, argsJson) => this.#listener?.syscall(op, argsJson) ?? "-No function is running.",
      enqueue: (id, op, argsJson) => this.#listener?.enqueue(id, op, argsJson),
      log: (level, text) => this.#listener?.log(level, text),
      sawClock: () => this.#listener?.sawClock(),
      finish: (ok, payload) => this.#listener?.finish(ok, payload),
      crypto: (op, paramsJson, inputs) => {
        const answer = cryptoAnswer(op, paramsJson, inputs);
        if (typeof answer === "string") return answer;
        this.#result = answer;
        return `+${answer.length}`;
      },
      take: (target) => target.set(this.#result),
      parseUrl: (input, base) => {
        if (!URL.canParse(input, base ?? undefined)) return "";
        return urlJson(new URL(input, base ?? undefined));
      },
      changeUrl: (href, part, value) => {
        const url = new URL(href);
        Reflect.set(url, part, value);
        return urlJson(url);
      },
    };
  }
}

const urlJson = (url: URL): string =>
  JSON.stringify({
    href: url.href,
    origin: url.origin,
    protocol: url.protocol,
    username: url.username,
    password: url.password,
    host: url.host,
    hostname: url.hostname,
    port: url.port,
    pathname: url.pathname,
    search: url.search,
    hash: url.hash,
  });

let guarded = false;

/**
 * Hears of promises that nobody listens to. One that a realm made fails its call; any other ends the process, as it
 * does without us.
 */
export function guardRejections(): void {
  if (guarded) return;
  guarded = true;
  process.on("unhandledRejection", (reason, promise) => {
    const realm = Realm.ownerOf(promise);
    if (realm !== undefined) {
      realm.unhandled(reason);
    } else if (process.listenerCount("unhandledRejection") === 1) {
      setImmediate(() => {
        throw reason;
      });
    }
  });
}
