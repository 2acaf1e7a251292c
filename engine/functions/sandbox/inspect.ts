const DEPTH_MAX = 5;
/** A log line is cut at 32 KiB anyway: looking further only costs time. */
const ITEMS_MAX = 1_000;

const quote = (text: string): string =>
  `'${text.replace(/[\\']/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}'`;

const isIdentifier = (key: string): boolean => /^[A-Za-z_$][\w$]*$/.test(key);

/**
 * Text of one console argument: strings in single quotes, objects and arrays spelled out. Used in realms and in
 * action workers alike, so that a line reads the same wherever it was written.
 */
export function inspect(value: unknown): string {
  return show(value, 0, []);
}

function show(value: unknown, depth: number, above: object[]): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return value.toString();
  if (typeof value === "function") return `[Function${value.name ? `: ${value.name}` : " (anonymous)"}]`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (above.includes(value)) return "[Circular]";
  try {
    return showObject(value, depth, [...above, value]);
  } catch (error) {
    return `[object that cannot be shown: ${error instanceof Error ? error.message : "unknown"}]`;
  }
}

function showObject(value: object, depth: number, above: object[]): string {
  const inner = (item: unknown) => show(item, depth + 1, above);
  if (value instanceof Error) return showError(value, inner);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? "[Array]" : "[Object]";
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${list(value, inner)} ]`;
  if (value instanceof Map) {
    return `Map (${value.size}) {${list([...value], ([key, item]) => `${inner(key)} => ${inner(item)}`)}}`;
  }
  if (value instanceof Set) return `Set (${value.size}) {${list([...value], inner)}}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) {
    const items: unknown[] = Array.from(value as unknown as Iterable<unknown>);
    return `${value.constructor.name}(${items.length}) [ ${list(items, inner)} ]`;
  }
  if (value instanceof Promise) return "Promise {}";
  return showPlain(value, inner);
}

function showPlain(value: object, inner: (item: unknown) => string): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  const maker: unknown =
    typeof prototype === "object" && prototype !== null ? Reflect.get(prototype, "constructor") : undefined;
  const name = typeof maker === "function" && maker.name !== "Object" ? `${maker.name} ` : "";
  const keys = Object.keys(value);
  if (keys.length === 0) return `${name}{}`;
  const fields = list(
    keys,
    (key) => `${isIdentifier(key) ? key : quote(key)}: ${inner(Reflect.get(value, key))}`,
  );
  return `${name}{ ${fields} }`;
}

function showError(error: Error, inner: (item: unknown) => string): string {
  const extra = Object.keys(error).filter((key) => key !== "name" && key !== "stack" && key !== "message");
  const text = `[${error.name}${error.message ? `: ${error.message}` : ""}]`;
  if (extra.length === 0) return text;
  return `{ ${text} ${extra.map((key) => `${key}: ${inner(Reflect.get(error, key))}`).join(", ")} }`;
}

function list<T>(items: readonly T[], one: (item: T) => string): string {
  const shown = items.slice(0, ITEMS_MAX).map(one);
  if (items.length > ITEMS_MAX) shown.push(`... ${items.length - ITEMS_MAX} more items`);
  return shown.join(", ");
}
