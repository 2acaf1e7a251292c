const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

type HeadersInit = Iterable<readonly [string, string]> | { [name: string]: string };

/** Headers as the Fetch standard has them: names in lower case, values joined by ", ", Set-Cookie kept apart. */
export class RealmHeaders {
  #values = new Map<string, string[]>();

  constructor(init?: HeadersInit | null) {
    if (init === undefined || init === null) return;
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  #key(name: unknown): string {
    const text = String(name);
    if (!NAME.test(text)) throw new TypeError(`Header name must be a valid HTTP token ["${text}"]`);
    return text.toLowerCase();
  }

  append(name: string, value: string): void {
    const key = this.#key(name);
    const list = this.#values.get(key) ?? [];
    list.push(String(value).trim());
    this.#values.set(key, list);
  }

  set(name: string, value: string): void {
    this.#values.set(this.#key(name), [String(value).trim()]);
  }

  delete(name: string): void {
    this.#values.delete(this.#key(name));
  }

  get(name: string): string | null {
    return this.#values.get(this.#key(name))?.join(", ") ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(this.#key(name));
  }

  getSetCookie(): string[] {
    return [...(this.#values.get("set-cookie") ?? [])];
  }

  forEach(each: (value: string, name: string, headers: this) => void, self?: unknown): void {
    for (const [name, value] of this) each.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      const list = this.#values.get(name) ?? [];
      if (name === "set-cookie") {
        for (const value of list) yield [name, value];
      } else {
        yield [name, list.join(", ")];
      }
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}
