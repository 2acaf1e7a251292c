import type { FetchPublic } from "./egress";

/** Stands in for `egressNode.ts` where the isolate's files are checked, so that Node's types stay out of them. */
export declare const fetchPublic: FetchPublic;
