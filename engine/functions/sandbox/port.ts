/**
 * What crosses the wall between the engine and a realm. Only strings, numbers, byte views that the realm owns, and
 * functions that the realm made itself: no object of the engine may become reachable for a function, or its
 * constructor would lead out of the sandbox.
 */

/** A module body, compiled inside the realm it will run in. */
export type ModuleBody = (
  exports: Record<string, unknown>,
  require: (specifier: string) => unknown,
  module: { exports: Record<string, unknown> },
) => void;

/** Functions of the engine. They never throw: a failure comes back as data. */
export type HostPort = {
  /** The compiled module, or null where the push has none of that path. */
  load(path: string): ModuleBody | null;
  /** Answer text, first character "+" for a result (JSON) and "-" for an error (a message). */
  syscall(op: string, argsJson: string): string;
  /** Queues an asynchronous call; the answer comes through `RealmPort.answer`. */
  enqueue(id: number, op: string, argsJson: string): void;
  log(level: string, text: string): void;
  /** The function looked at the clock. */
  sawClock(): void;
  /** Runs a cryptographic operation: "+<bytes of the result>", "+t"/"+f" for a yes or no, "-name:message" for an error. */
  crypto(op: string, paramsJson: string, inputs: readonly Uint8Array[]): string;
  /** Copies the result of the last `crypto` call into memory of the realm. */
  take(target: Uint8Array): void;
  /** JSON of the parts of a URL, or "" if it does not parse. */
  parseUrl(input: string, base: string | null): string;
  /** Applies one URL setter and returns the JSON of the parts. */
  changeUrl(href: string, part: string, value: string): string;
  /** The function ended. `payload` is its result, or a `ThrownJson`. */
  finish(ok: boolean, payload: string): void;
};

/** Functions of the realm that the engine calls. */
export type RealmPort = {
  /** New clock and seeds; everything that a call may have left behind is reset. */
  begin(nowMs: number, seed: string): void;
  /** Starts a function. Its end is told by `HostPort.finish`. */
  invoke(path: string, name: string, kind: "query" | "mutation", argsJson: string): void;
  /** Settles a queued call. A failed payload is `{message, data?}`. */
  answer(id: number, ok: boolean, payload: string): void;
  /** JSON of a `ModuleReport`. */
  analyze(path: string): string;
  /** JSON of a `DefinitionReport`: what the default export of a definition module says. */
  define(path: string, what: "schema" | "auth" | "app" | "plain"): string;
};

export type RealmSetup = {
  importTimeMs: number;
  importSeed: string;
  env: { [name: string]: string };
  /** True while auth.config.ts is evaluated: reading a missing variable fails the push. */
  strictEnv: boolean;
};

/** A thrown value as text. `data` is the encoded JSON text of a ConvexError. */
export type ThrownJson = { message: string; stack: string; data?: string };

export type FunctionReport = {
  name: string;
  kind: "query" | "mutation" | "action";
  visibility: "public" | "internal" | null;
  args: string;
  returns: string;
};

export type ModuleReport =
  | {
      ok: true;
      functions: FunctionReport[];
      /** Routes of an HTTP router, `[path, method]`, a prefix ends in `*`. */
      routes: [string, string][] | null;
      /** JSON of `crons.export()`. */
      crons: string | null;
      /** What the default export is: crons.ts and http.ts must have the right one. */
      defaultExport: "crons" | "router" | "other" | "none";
    }
  | { ok: false; thrown: ThrownJson };

export type DefinitionReport = { ok: true; json: string } | { ok: false; thrown: ThrownJson };
