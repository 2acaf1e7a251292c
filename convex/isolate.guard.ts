/**
 * Fails to compile as soon as Node's types are known where the isolate's files are checked: then nothing would keep
 * `Buffer` and the like out of them. Deployed nowhere, because its name has two dots.
 */
type NodeIsUnknown = typeof globalThis extends { Buffer: unknown } ? false : true;

export const NODE_IS_UNKNOWN: NodeIsUnknown = true;
