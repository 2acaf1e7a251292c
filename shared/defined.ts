/** The same object type with every key that may be undefined turned into an optional one. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without its undefined properties: an absent field is absent, never present and undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  const kept = Object.entries(object).filter(([, value]) => value !== undefined);
  // The compiler cannot follow the filter; it removes exactly the keys that `Defined` makes optional.
  return Object.fromEntries(kept) as Defined<T>;
}
