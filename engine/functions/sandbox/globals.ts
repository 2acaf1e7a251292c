/**
 * The one place where the realm touches its global object. Definitions are not enumerable, as built-ins are not.
 */
export function defineGlobals(values: { [name: string]: unknown }): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
}

/** Shared memory and blocking waits have no place in a deterministic function. */
export function removeGlobals(names: readonly string[]): void {
  for (const name of names) Reflect.deleteProperty(globalThis, name);
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Bytes of an ArrayBuffer or of any view on one, without copying. */
export function bytesOf(source: unknown): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw new TypeError(`expected an ArrayBuffer or a view on one, got ${tagOf(source)}`);
}

export const isBytes = (source: unknown): source is ArrayBuffer | ArrayBufferView =>
  source instanceof ArrayBuffer || ArrayBuffer.isView(source);

/** A copy in a buffer of its own, of exactly the right size. */
export function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
