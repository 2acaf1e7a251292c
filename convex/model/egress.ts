/**
 * How links of tenants are fetched, in words that need nothing of Node. The files that do it run in Node alone; what the
 * isolate's types see of those files are the declarations beside them (`*.isolate.ts`), which are made of these.
 */

/** Networks that an address may be looked up in, such as Node's `BlockList`. */
export interface NetworkList {
  readonly rules: readonly string[];
  check(address: string, family: "ipv4" | "ipv6"): boolean;
}

/**
 * Private networks that the operator opened (`FORWARD_ALLOW_CIDRS`). Only there may a link be plain http, have any
 * port, and a name such as `localhost`.
 */
export interface EgressPolicy {
  readonly opened: NetworkList;
}

/** Makes the policy for a list of networks such as `10.1.0.0/16,fd00::/8`. An entry that is no network is left out. */
export type MakeEgressPolicy = (openedCidrs: string | undefined) => EgressPolicy;

export interface FetchOptions {
  readonly policy: EgressPolicy;
  readonly bytesMax: number;
  readonly deadlineMs?: number;
  /** Stands in for DNS. */
  readonly resolve?: (host: string) => Promise<readonly { address: string; family: number }[]>;
  /** Certificates that are trusted beside the well-known ones. */
  readonly ca?: string;
}

export type Fetched =
  | { ok: true; bytes: Uint8Array; mime?: string; filename?: string }
  /** `final`: the link itself is refused or leads to nothing that can be sent; trying again is of no use. */
  | { ok: false; reason: string; final: boolean };

/** Fetches a file from a link that a tenant gave. Never throws. */
export type FetchPublic = (link: string, options: FetchOptions) => Promise<Fetched>;
