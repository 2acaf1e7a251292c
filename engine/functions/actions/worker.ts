import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { createRequire } from "node:module";
import vm from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { componentArgument } from "../component-argument";
import { analyzeExports } from "../sandbox/analyze";
import { createConsole } from "../sandbox/console";
import { resolveModule } from "../sandbox/modules";
import type { ModuleBody } from "../sandbox/port";
import { describeThrown } from "../sandbox/thrown";
import { createDate } from "../sandbox/time";
import { HttpBodies } from "./http-bodies";
import {
  type FromWorker,
  type HttpRequestMessage,
  TICKET_BEGUN,
  TICKET_OPEN,
  type Ticket,
  type ToWorker,
  type WorkerSetup,
} from "./protocol";

/**
 * Entry of the worker threads that run actions: one for the default runtime, whose globals are those of the web, and
 * one for `"use node"`. Many calls run side by side; AsyncLocalStorage says which one a system call or a console line
 * belongs to.
 */

const port = parentPort;
if (port === null) throw new Error("This file is the entry of a worker thread.");

const setup: WorkerSetup = workerData;
const currentCall = new AsyncLocalStorage<number>();
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
let nextId = 0;

const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

function call(): number {
  const current = currentCall.getStore();
  if (current === undefined) throw new Error("Convex system calls can only be made while an action runs.");
  return current;
}

function ask<T>(message: (id: number) => FromWorker, transfer: ArrayBuffer[] = []): Promise<T> {
  return new Promise((resolve, reject) => {
    const id = nextId++;
    waiting.set(id, { resolve: (value) => resolve(value as T), reject });
    send(message(id), transfer);
  });
}

const jsCalls: { [op: string]: (args: { [name: string]: unknown }) => unknown } = {
  "storage/storeBlob": async (args) => {
    const { blob, options } = args;
    if (!(blob instanceof Blob)) {
      throw new Error(
        "store() expects a Blob. If you are trying to store a Request, `await request.blob()` will give you the correct input.",
      );
    }
    const owner = call();
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const sha256: unknown = Reflect.get(Object(options), "sha256");
    return ask(
      (id) => ({
        type: "storeBlob",
        call: owner,
        id,
        bytes,
        contentType: blob.type,
        sha256: typeof sha256 === "string" ? sha256 : null,
      }),
      [bytes.buffer],
    );
  },
  "storage/getBlob": async (args) => {
    const owner = call();
    const found = await ask<{ bytes: Uint8Array<ArrayBuffer>; contentType: string | null } | null>((id) => ({
      type: "getBlob",
      call: owner,
      id,
      storageId: String(args["storageId"]),
    }));
    return found === null ? null : new Blob([found.bytes], { type: found.contentType ?? "" });
  },
};

const convex = Object.freeze({
  syscall(op: string, argsJson: string): string {
    if (op === "1.0/componentArgument") return componentArgument(setup.componentArguments, argsJson);
    throw new Error(`Unknown operation ${op}`);
  },
  asyncSyscall(op: string, argsJson: string): Promise<string> {
    const owner = call();
    return ask((id) => ({ type: "syscall", call: owner, id, op, argsJson }));
  },
  jsSyscall(op: string, args: { [name: string]: unknown }): unknown {
    const run = jsCalls[op];
    if (run === undefined) throw new Error(`Unknown operation ${op}`);
    return run(args);
  },
});

const write = (level: string, text: string): void => {
  const owner = currentCall.getStore();
  if (owner !== undefined) send({ type: "log", call: owner, level, text });
};

const define = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
};

define("Convex", convex);
if (setup.clock !== null) {
  const { clock } = setup;
  const systemMs = Date.now;
  define(
    "Date",
    createDate(() => (clock[0] ?? 0) + (clock[2] === 1 ? 0 : systemMs() - (clock[1] ?? 0))),
  );
}
define(
  "console",
  createConsole(write, () => Date.now()),
);

// A rejection that nobody hears of ends a Node process. Here it belongs to one of many calls, which may long be over.
process.on("unhandledRejection", (reason) =>
  write("ERROR", `Unhandled promise rejection: ${describeThrown(reason).message}`),
);

const bodies = new Map(setup.modules.map((module) => [module.path, module.wrapped]));
const loaded = new Map<string, { exports: { [name: string]: unknown } }>();
const requireNode = setup.environment === "node" ? createRequire(setup.requireFrom) : null;

function requireOutside(specifier: string): unknown {
  if (requireNode !== null) return requireNode(specifier);
  if (specifier === "async_hooks" || specifier === "node:async_hooks")
    return { AsyncLocalStorage, AsyncResource };
  throw new Error(
    `Could not resolve "${specifier}". Node.js modules need "use node" at the top of the file.`,
  );
}

/**
 * Names that modules of the default runtime do not see. They cannot be taken from the thread itself, because Node's
 * own fetch looks for them there; parameters of a function around each module hide them instead.
 */
const HIDDEN = ["Buffer", "global", "setImmediate", "clearImmediate"] as const;

function webGlobal(): object {
  const visible: { [name: string]: unknown } = {};
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!HIDDEN.some((hidden) => hidden === name)) visible[name] = Reflect.get(globalThis, name);
  }
  visible["process"] = { env: { ...setup.env } };
  visible["globalThis"] = visible;
  return visible;
}

const web = setup.environment === "isolate" ? webGlobal() : null;

function instantiate(path: string, wrapped: string): ModuleBody {
  const place = { filename: `convex:/${path}`, lineOffset: -1 };
  if (web === null) return new vm.Script(wrapped, place).runInThisContext();
  const hiding = `(function (globalThis, process, ${HIDDEN.join(", ")}) { return ${wrapped}\n})`;
  const make: (seenGlobal: object, seenProcess: unknown) => ModuleBody = new vm.Script(
    hiding,
    place,
  ).runInThisContext();
  return make(web, Reflect.get(web, "process"));
}

function load(path: string): { [name: string]: unknown } {
  const known = loaded.get(path);
  if (known !== undefined) return known.exports;
  const wrapped = bodies.get(path);
  if (wrapped === undefined) throw new Error(`Could not resolve "${path}": the push has no such module.`);
  const body = instantiate(path, wrapped);
  const module = { exports: {} };
  loaded.set(path, module);
  const inside = (specifier: string): unknown =>
    specifier.startsWith("./") || specifier.startsWith("../")
      ? load(resolveModule(path, specifier))
      : requireOutside(specifier);
  try {
    body(module.exports, inside, module);
  } catch (error) {
    loaded.delete(path);
    throw error;
  }
  return module.exports;
}

async function runAction(message: Extract<ToWorker, { type: "run" }>): Promise<void> {
  const registered: unknown = load(message.path)[message.name];
  const invoke: unknown = Reflect.get(Object(registered), "invokeAction");
  if (typeof invoke !== "function") throw new Error(`${message.path}:${message.name} is not an action.`);
  const value: unknown = await invoke.call(registered, message.requestId, message.argsJson);
  send({ type: "done", call: message.call, value: String(value) });
}

const httpBodies = new HttpBodies(send, (owner, run) => currentCall.run(owner, run));

async function runHttp(owner: number, given: HttpRequestMessage): Promise<void> {
  const signal = httpBodies.open(owner);
  try {
    await route(owner, given, signal);
  } finally {
    httpBodies.close(owner);
  }
}

async function route(owner: number, given: HttpRequestMessage, signal: AbortSignal): Promise<void> {
  const router: unknown = load("http.js")["default"];
  const lookup: unknown = Reflect.get(Object(router), "lookup");
  if (typeof lookup !== "function") throw new Error("The default export of http.ts must be an HttpRouter.");
  const match: unknown = lookup.call(router, given.route, given.method);
  if (!Array.isArray(match)) {
    send({ type: "noRoute", call: owner });
    return;
  }
  const request = new Request(given.url, {
    method: given.method,
    headers: given.headers,
    signal,
    ...requestBody(owner, given.body),
  });
  const handler: object = Object(match[0]);
  const invoke: unknown = Reflect.get(handler, "invokeHttpAction");
  if (typeof invoke !== "function") throw new Error("The handler of a route must be made with httpAction().");
  const response: unknown = await invoke.call(handler, request);
  if (!(response instanceof Response)) throw new Error("An HTTP action must return a Response.");
  await httpBodies.respond(owner, response);
}

/** `duplex` is what the Fetch standard asks of a request whose body streams. */
function requestBody(
  owner: number,
  body: HttpRequestMessage["body"],
): { body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>; duplex?: "half" } {
  if (body === null) return {};
  if (body === "streams") return { body: httpBodies.requestBody(owner), duplex: "half" };
  return { body: new Uint8Array(body) };
}

function start(owner: number, work: () => Promise<void>): void {
  currentCall.run(owner, () => {
    work().catch((error: unknown) => send({ type: "failed", call: owner, thrown: describeThrown(error) }));
  });
}

/** Whether the call is still this worker's to run. */
const claims = (ticket: Ticket): boolean =>
  Atomics.compareExchange(ticket, 0, TICKET_OPEN, TICKET_BEGUN) === TICKET_OPEN;

port.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "run":
      if (claims(message.ticket)) start(message.call, () => runAction(message));
      break;
    case "http":
      if (claims(message.ticket)) start(message.call, () => runHttp(message.call, message.request));
      break;
    case "analyze":
      start(message.call, async () => {
        send({ type: "analyzed", call: message.call, report: analyzeExports(load(message.path)) });
      });
      break;
    case "answer": {
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.ok) asked?.resolve(message.payload);
      else asked?.reject(Object.assign(new Error(), JSON.parse(message.payload)));
      break;
    }
    case "exchange":
      httpBodies.receive(message.call, message.message);
      break;
    case "blob":
      waiting.get(message.id)?.resolve(message.blob);
      waiting.delete(message.id);
      break;
  }
});
