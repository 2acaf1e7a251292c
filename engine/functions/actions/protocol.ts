import type { JsonValue } from "../../types";
import type { ModuleReport, ThrownJson } from "../sandbox/port";

/** Messages between the engine and a worker thread that runs actions. Plain data; byte arrays are transferred. */

export type WorkerSetup = {
  environment: "isolate" | "node";
  /** `wrapped` is the source text of `(exports, require, module) => void`. */
  modules: { path: string; wrapped: string }[];
  env: { [name: string]: string };
  componentArguments: { [name: string]: JsonValue };
  /**
   * The engine's clock where that is not the system's: its time and the system's time at the same moment, both in Unix
   * milliseconds, and 1 where it stands still. Null where the thread's own clock will do.
   */
  clock: Float64Array<SharedArrayBuffer> | null;
  /** Where `require` of a Node module starts to look for packages. */
  requireFrom: string;
};

export type HttpRequestMessage = {
  method: string;
  url: string;
  /** Path that the router looks up: that of the URL without the prefix at which the component is mounted. */
  route: string;
  headers: [string, string][];
  /** Null where there is none; a short one whole; one that streams is asked for chunk by chunk. */
  body: Uint8Array | "streams" | null;
};

/** What concerns one HTTP action that runs. */
export type HttpToWorker =
  /** There is room for one more chunk of the response. */
  | { type: "pull" }
  /** Nobody reads the rest of the response. */
  | { type: "forget" }
  /** The caller has gone. */
  | { type: "abort" }
  /** The answers to pullBody. */
  | { type: "bodyChunk"; bytes: Uint8Array }
  | { type: "bodyEnd" }
  | { type: "bodyFailed"; reason: string };

/**
 * Whether a call has begun: the first to write here has it, the worker to run the call or the engine to withdraw it
 * from a worker that never comes to it.
 */
export type Ticket = Int32Array<SharedArrayBuffer>;
export const TICKET_OPEN = 0;
export const TICKET_BEGUN = 1;
export const TICKET_WITHDRAWN = 2;

export type ToWorker =
  | {
      type: "run";
      call: number;
      path: string;
      name: string;
      requestId: string;
      argsJson: string;
      ticket: Ticket;
    }
  | { type: "http"; call: number; request: HttpRequestMessage; ticket: Ticket }
  | { type: "analyze"; call: number; path: string }
  | { type: "answer"; id: number; ok: boolean; payload: string }
  | { type: "blob"; id: number; blob: { bytes: Uint8Array; contentType: string | null } | null }
  | { type: "exchange"; call: number; message: HttpToWorker };

export type FromWorker =
  | { type: "syscall"; call: number; id: number; op: string; argsJson: string }
  | {
      type: "storeBlob";
      call: number;
      id: number;
      bytes: Uint8Array;
      contentType: string;
      sha256: string | null;
    }
  | { type: "getBlob"; call: number; id: number; storageId: string }
  | { type: "log"; call: number; level: string; text: string }
  | { type: "done"; call: number; value: string }
  | { type: "failed"; call: number; thrown: ThrownJson }
  | { type: "analyzed"; call: number; report: ModuleReport }
  | { type: "noRoute"; call: number }
  /** The next chunk of the request's body is wanted, or no more of it. */
  | { type: "pullBody"; call: number }
  | { type: "dropBody"; call: number }
  | { type: "head"; call: number; status: number; headers: [string, string][]; hasBody: boolean }
  | { type: "chunk"; call: number; bytes: Uint8Array }
  | { type: "end"; call: number };
