import type { MakeEgressPolicy } from "./egress";

/** Stands in for `egressPolicyNode.ts` where the isolate's files are checked, so that Node's types stay out of them. */
export declare const egressPolicy: MakeEgressPolicy;
