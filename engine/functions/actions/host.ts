import path from "node:path";
import { Worker } from "node:worker_threads";
import { bundle } from "../../bundle";
import { type Clock, systemClock } from "../../clock";
import type { ComponentPath, JsonValue } from "../../types";
import type { CompiledModule } from "../program";
import type { ModuleReport, ThrownJson } from "../sandbox/port";
import { HttpCall, type HttpCaller } from "./http-call";
import {
  type FromWorker,
  type HttpRequestMessage,
  TICKET_OPEN,
  TICKET_WITHDRAWN,
  type Ticket,
  type ToWorker,
  type WorkerSetup,
} from "./protocol";

/** A call that runs in a worker, as the engine sees it. */
export type ActionCall = {
  /** Answers a system call with JSON text; a rejection carries the payload for `convex/server`. */
  syscall(op: string, argsJson: string): Promise<string>;
  log(level: string, text: string): void;
};

/** What workers need of the engine besides their calls. */
export type ActionBridge = {
  storeBlob(
    blob: { bytes: Uint8Array; contentType: string | null; sha256?: string },
    component: ComponentPath,
  ): Promise<string>;
  readBlob(
    storageId: string,
    component: ComponentPath,
  ): Promise<{ bytes: Uint8Array; contentType: string | null } | null>;
  /** Payload of a failed system call; see `failedCall`. Never throws. */
  describe(error: unknown): string;
  log(line: string): void;
  clock: Clock;
  /** Whether a worker for Node actions ends after the next call, as it may at any time on Convex. */
  recycles(): boolean;
};

/** `withdrawn` says that nothing of the call has run, and nothing will. */
export type ActionEnd =
  | { ok: true; value: string }
  | { ok: false; thrown: ThrownJson }
  | { ok: false; withdrawn: true };

type Running = {
  call: ActionCall;
  receive(message: FromWorker): void;
  /** The worker died under the call. */
  lost(thrown: ThrownJson): void;
};

/** Convex's text for an action whose outcome nobody knows. */
export const TRANSIENT_ERROR = "Transient error while executing action";
const LOST: ThrownJson = { message: TRANSIENT_ERROR, stack: "" };

/** Heap of a worker: what Convex gives to Node actions. */
const MEMORY_MIB_MAX = 512;
/** Convex's text; all calls of a worker share its heap, so that one of them fails all. */
export const OUT_OF_MEMORY = `JavaScript execution ran out of memory (maximum memory usage: ${MEMORY_MIB_MAX} MB)`;

const newTicket = (): Ticket => new Int32Array(new SharedArrayBuffer(4));

/** What a worker runs: the modules of one component for one of the two runtimes. */
export type HostSetup = {
  environment: "isolate" | "node";
  component: ComponentPath;
  modules: readonly CompiledModule[];
  env: { readonly [name: string]: string };
  /** What `componentArgument` of older components answers. */
  componentArguments: { readonly [name: string]: JsonValue };
};

/** One worker thread and the calls that run in it. */
export class ActionHost {
  readonly #worker: Worker;
  readonly #bridge: ActionBridge;
  readonly #component: ComponentPath;
  readonly #running = new Map<number, Running>();
  readonly #clock: WorkerSetup["clock"];
  #nextCall = 0;
  #closing = false;
  #ended = false;
  #lost = LOST;

  constructor({ environment, component, modules, env, componentArguments }: HostSetup, bridge: ActionBridge) {
    const setup: WorkerSetup = {
      environment,
      modules: modules
        .filter((module) => module.environment === environment)
        .map(({ path: modulePath, wrapped }) => ({ path: modulePath, wrapped })),
      env: { ...env },
      componentArguments: { ...componentArguments },
      clock:
        environment === "isolate" && bridge.clock !== systemClock
          ? new Float64Array(new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT))
          : null,
      requireFrom: path.join(process.cwd(), "package.json"),
    };
    this.#bridge = bridge;
    this.#clock = setup.clock;
    this.#component = component;
    this.#worker = new Worker(bundle("functions/actions/worker.ts", "node"), {
      eval: true,
      workerData: setup,
      env: { ...env, TZ: "UTC" },
      // Flags of the engine's own process (loaders above all) are not for the functions.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB_MAX },
      name: `actions (${environment})`,
    });
    this.#worker.unref();
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    this.#worker.on("error", (error) => {
      if (Reflect.get(error, "code") === "ERR_WORKER_OUT_OF_MEMORY") {
        this.#lost = { message: OUT_OF_MEMORY, stack: "" };
      }
      bridge.log(`the worker for ${environment} actions ended: ${String(error)}`);
    });
    this.#worker.on("exit", () => this.#exited());
  }

  /** Whether it takes no more calls. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Whether its thread is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Runs an action. Never rejects. `abandon` ends the wait, not the code, which cannot be stopped alone. `withdraw`
   * takes back a call that has not begun, because another one keeps the worker busy.
   */
  run(
    call: ActionCall,
    request: { path: string; name: string; requestId: string; argsJson: string },
  ): {
    end: Promise<ActionEnd>;
    abandon(thrown: ThrownJson): void;
    withdraw(): void;
  } {
    const ticket = newTicket();
    let finish: (end: ActionEnd) => void = () => undefined;
    const end = new Promise<ActionEnd>((resolve) => {
      finish = resolve;
    });
    const number = this.#begin(call, {
      receive: (message) => {
        if (message.type === "done") finish({ ok: true, value: message.value });
        if (message.type === "failed") finish({ ok: false, thrown: message.thrown });
      },
      lost: (thrown) => finish({ ok: false, thrown }),
    });
    void end.then(() => this.#forget(number));
    this.#post({ type: "run", call: number, ...request, ticket });
    const abandon = (thrown: ThrownJson): void => {
      // The code goes on and cannot be stopped alone: the worker takes no new calls and ends after its other ones.
      this.#closing = true;
      finish({ ok: false, thrown });
    };
    const withdraw = () => this.#withdraw(ticket, () => finish({ ok: false, withdrawn: true }));
    return { end, abandon, withdraw };
  }

  #withdraw(ticket: Ticket, gone: () => void): void {
    if (Atomics.compareExchange(ticket, 0, TICKET_OPEN, TICKET_WITHDRAWN) !== TICKET_OPEN) return;
    this.#closing = true;
    gone();
  }

  /** Routes and runs an HTTP action. Resolves with the head of the response; its body follows. */
  http(
    call: ActionCall,
    request: HttpRequestMessage,
    caller: HttpCaller,
  ): Pick<HttpCall, "end" | "closed"> & { abandon(thrown: ThrownJson): void; withdraw(): void } {
    const ticket = newTicket();
    const exchange: HttpCall = new HttpCall(caller, (message) =>
      this.#post({ type: "exchange", call: number, message }),
    );
    const number = this.#begin(call, {
      receive: (message) => exchange.receive(message),
      lost: (thrown) => exchange.fail(thrown),
    });
    void exchange.closed.then(() => this.#forget(number));
    this.#post({ type: "http", call: number, request, ticket });
    const abandon = (thrown: ThrownJson): void => {
      this.#closing = true;
      exchange.fail(thrown);
    };
    const withdraw = () => this.#withdraw(ticket, () => exchange.withdraw());
    const { end, closed } = exchange;
    return { end, closed, abandon, withdraw };
  }

  /** Loads a module and reports on its exports. */
  analyze(modulePath: string): Promise<ModuleReport> {
    return new Promise((resolve) => {
      const end = (report: ModuleReport) => {
        this.#forget(number);
        resolve(report);
      };
      const silent: ActionCall = {
        syscall: () => Promise.reject(new Error("Modules cannot make system calls while they load.")),
        log: () => undefined,
      };
      const number = this.#begin(silent, {
        receive: (message) => {
          if (message.type === "analyzed") end(message.report);
          if (message.type === "failed") end({ ok: false, thrown: message.thrown });
        },
        lost: (thrown) => end({ ok: false, thrown }),
      });
      this.#post({ type: "analyze", call: number, path: modulePath });
    });
  }

  /** Ends the worker when its last call has ended, at once if none runs. */
  closeWhenIdle(): void {
    this.closeAfterUse();
    if (this.#running.size === 0) void this.stop();
  }

  /** The same for a worker that is about to get a call. */
  closeAfterUse(): void {
    this.#closing = true;
  }

  async stop(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #begin(call: ActionCall, handlers: Omit<Running, "call">): number {
    const number = this.#nextCall++;
    this.#running.set(number, { call, ...handlers });
    // While calls run, the worker keeps the process alive, as any pending work does.
    this.#worker.ref();
    return number;
  }

  #forget(number: number): void {
    this.#running.delete(number);
    if (this.#running.size > 0) return;
    this.#worker.unref();
    if (this.#closing) void this.stop();
  }

  #post(message: ToWorker): void {
    const { clock } = this.#bridge;
    this.#clock?.set([clock.nowMs(), systemClock.nowMs(), clock.standsStill === true ? 1 : 0]);
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    const running = this.#running.get(message.call);
    switch (message.type) {
      case "syscall":
        void this.#answer(running?.call, message);
        break;
      case "storeBlob":
        void this.#storeBlob(message);
        break;
      case "getBlob":
        void this.#readBlob(message);
        break;
      case "log":
        running?.call.log(message.level, message.text);
        break;
      default:
        running?.receive(message);
    }
  }

  async #answer(
    call: ActionCall | undefined,
    { id, op, argsJson }: Extract<FromWorker, { type: "syscall" }>,
  ): Promise<void> {
    try {
      if (call === undefined) throw new Error("The action has ended.");
      this.#post({ type: "answer", id, ok: true, payload: await call.syscall(op, argsJson) });
    } catch (error) {
      this.#post({ type: "answer", id, ok: false, payload: this.#bridge.describe(error) });
    }
  }

  async #storeBlob({
    id,
    bytes,
    contentType,
    sha256,
  }: Extract<FromWorker, { type: "storeBlob" }>): Promise<void> {
    try {
      const blob = {
        bytes,
        contentType: contentType === "" ? null : contentType,
        ...(sha256 !== null && { sha256 }),
      };
      const storageId = await this.#bridge.storeBlob(blob, this.#component);
      this.#post({ type: "answer", id, ok: true, payload: storageId });
    } catch (error) {
      this.#post({ type: "answer", id, ok: false, payload: this.#bridge.describe(error) });
    }
  }

  async #readBlob({ id, storageId }: Extract<FromWorker, { type: "getBlob" }>): Promise<void> {
    try {
      this.#post({ type: "blob", id, blob: await this.#bridge.readBlob(storageId, this.#component) });
    } catch (error) {
      this.#post({ type: "answer", id, ok: false, payload: this.#bridge.describe(error) });
    }
  }

  #exited(): void {
    this.#closing = true;
    this.#ended = true;
    for (const running of [...this.#running.values()]) running.lost(this.#lost);
    this.#running.clear();
  }
}
