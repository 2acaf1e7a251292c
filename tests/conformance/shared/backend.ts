/** Which implementation of Convex a case runs on. */
export type BackendName = "convex-test" | "testkit" | "engine";

export type Args = Record<string, unknown>;

/** What the shared cases know of a backend: the calls that a client has, and a way to let scheduled work end. */
export interface Backend {
  readonly name: BackendName;
  /** Functions are named by path, as `documents:get`. What a call answers is the case's own knowledge. */
  query<Result = unknown>(path: string, args?: Args): Promise<Result>;
  mutation<Result = unknown>(path: string, args?: Args): Promise<Result>;
  action<Result = unknown>(path: string, args?: Args): Promise<Result>;
  /** A request to an HTTP action; `path` begins with "/". */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The same backend, called by a user of the issuer that the fixture trusts. */
  as(subject: string): Promise<Backend>;
  /** Runs everything that is scheduled for now, and what that schedules. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export const ISSUER = "https://issuer.example";

/** One rule, written once and run on every backend. */
export type Case = { title: string; run(backend: Backend): Promise<void> };

/** A case by its title, which the coverage table names. */
export const rule = (title: string, run: (backend: Backend) => Promise<void>): Case => ({ title, run });
