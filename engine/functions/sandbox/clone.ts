import { ownBuffer } from "./globals";

const refuse = (what: string): Error =>
  Object.assign(new Error(`${what} could not be cloned.`), { name: "DataCloneError" });

/** `structuredClone` for the values that a query or mutation can hold. Transfer lists are not supported. */
export function structuredClone(value: unknown): unknown {
  return copy(value, new Map());
}

function copy(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "function") throw refuse(String(value.name || "A function"));
  if (typeof value === "symbol") throw refuse(String(value));
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const remember = <T>(made: T): T => {
    seen.set(value, made);
    return made;
  };
  if (value instanceof Date) return remember(new Date(value.getTime()));
  if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return remember(ownBuffer(new Uint8Array(value)));
  if (ArrayBuffer.isView(value)) {
    const buffer = copy(value.buffer, seen);
    const length = value instanceof DataView ? value.byteLength : Reflect.get(value, "length");
    return remember(Reflect.construct(Reflect.get(value, "constructor"), [buffer, value.byteOffset, length]));
  }
  if (value instanceof Map) {
    const made = remember(new Map());
    for (const [key, item] of value) made.set(copy(key, seen), copy(item, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = remember(new Set());
    for (const item of value) made.add(copy(item, seen));
    return made;
  }
  if (value instanceof Error) {
    const made = remember(new Error(value.message));
    Object.defineProperty(made, "name", { value: value.name, writable: true, configurable: true });
    if (value.stack !== undefined) made.stack = value.stack;
    return made;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw refuse(Object.prototype.toString.call(value));
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String)
    return Object(value.valueOf());
  const made: unknown[] | { [key: string]: unknown } = remember(
    Array.isArray(value) ? new Array(value.length) : {},
  );
  for (const key of Object.keys(value)) Reflect.set(made, key, copy(Reflect.get(value, key), seen));
  return made;
}
