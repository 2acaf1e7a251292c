import type { HostPort } from "./port";

type UrlParts = {
  href: string;
  origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
};

const plus = (text: string): string => {
  const spaced = text.replace(/\+/g, " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A lone "%" is legal here: decode what can be decoded, piece by piece.
    return spaced.replace(/(%[0-9a-fA-F]{2})+/g, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        return run;
      }
    });
  }
};

const formEncode = (text: string): string =>
  encodeURIComponent(text)
    .replace(/%20/g, "+")
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

export class RealmURLSearchParams {
  #pairs: [string, string][] = [];
  #changed: (() => void) | undefined;

  constructor(init?: string | Iterable<Iterable<string>> | { [name: string]: string } | null) {
    if (init === undefined || init === null) return;
    if (typeof init === "object") {
      const pairs = Symbol.iterator in init ? [...init] : Object.entries(init);
      for (const pair of pairs) {
        const [name, value, ...more] = [...pair];
        if (name === undefined || value === undefined || more.length > 0) {
          throw new TypeError("Each query pair must be an iterable [name, value] tuple");
        }
        this.#pairs.push([String(name), String(value)]);
      }
    } else {
      this.#read(String(init));
    }
  }

  /** Ties the parameters to a URL: `changed` hears of every change. */
  static of(search: string, changed: () => void): RealmURLSearchParams {
    const params = new RealmURLSearchParams(search);
    params.#changed = changed;
    return params;
  }

  /** New text from the URL, without telling the URL. */
  static refresh(params: RealmURLSearchParams, search: string): void {
    params.#pairs = [];
    params.#read(search);
  }

  #read(text: string): void {
    for (const piece of text.replace(/^\?/, "").split("&")) {
      if (piece === "") continue;
      const at = piece.indexOf("=");
      this.#pairs.push(at < 0 ? [plus(piece), ""] : [plus(piece.slice(0, at)), plus(piece.slice(at + 1))]);
    }
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed?.();
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(
      (pair) => pair[0] !== name || (value !== undefined && pair[1] !== value),
    );
    this.#changed?.();
  }

  get(name: string): string | null {
    return this.#pairs.find((pair) => pair[0] === name)?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some((pair) => pair[0] === name && (value === undefined || pair[1] === value));
  }

  set(name: string, value: string): void {
    const first = this.#pairs.find((pair) => pair[0] === name);
    if (first === undefined) {
      this.#pairs.push([String(name), String(value)]);
    } else {
      first[1] = String(value);
      this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== name);
    }
    this.#changed?.();
  }

  sort(): void {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#changed?.();
  }

  forEach(each: (value: string, name: string, params: this) => void, self?: unknown): void {
    for (const [name, value] of this.#pairs) each.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join("&");
  }

  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }
}

/** A URL class whose parser is the engine's own: only text crosses. */
export function createUrl(host: HostPort) {
  const parse = (input: unknown, base: unknown): UrlParts | null => {
    const json = host.parseUrl(String(input), base === undefined ? null : String(base));
    return json === "" ? null : JSON.parse(json);
  };
  return class RealmURL {
    #parts: UrlParts;
    #params: RealmURLSearchParams | undefined;

    constructor(input: unknown, base?: unknown) {
      const parts = parse(input, base);
      if (parts === null) {
        throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(input) });
      }
      this.#parts = parts;
    }

    static canParse(input: unknown, base?: unknown): boolean {
      return parse(input, base) !== null;
    }

    static parse(input: unknown, base?: unknown): RealmURL | null {
      return parse(input, base) === null ? null : new RealmURL(input, base);
    }

    #change(part: keyof UrlParts, value: unknown): void {
      this.#parts = JSON.parse(host.changeUrl(this.#parts.href, part, String(value)));
      if (this.#params !== undefined) RealmURLSearchParams.refresh(this.#params, this.#parts.search);
    }

    get href(): string {
      return this.#parts.href;
    }
    set href(value: unknown) {
      const parts = parse(value, undefined);
      if (parts === null) throw new TypeError("Invalid URL");
      this.#change("href", value);
    }
    get origin(): string {
      return this.#parts.origin;
    }
    get protocol(): string {
      return this.#parts.protocol;
    }
    set protocol(value: unknown) {
      this.#change("protocol", value);
    }
    get username(): string {
      return this.#parts.username;
    }
    set username(value: unknown) {
      this.#change("username", value);
    }
    get password(): string {
      return this.#parts.password;
    }
    set password(value: unknown) {
      this.#change("password", value);
    }
    get host(): string {
      return this.#parts.host;
    }
    set host(value: unknown) {
      this.#change("host", value);
    }
    get hostname(): string {
      return this.#parts.hostname;
    }
    set hostname(value: unknown) {
      this.#change("hostname", value);
    }
    get port(): string {
      return this.#parts.port;
    }
    set port(value: unknown) {
      this.#change("port", value);
    }
    get pathname(): string {
      return this.#parts.pathname;
    }
    set pathname(value: unknown) {
      this.#change("pathname", value);
    }
    get search(): string {
      return this.#parts.search;
    }
    set search(value: unknown) {
      this.#change("search", value);
    }
    get hash(): string {
      return this.#parts.hash;
    }
    set hash(value: unknown) {
      this.#change("hash", value);
    }

    get searchParams(): RealmURLSearchParams {
      if (this.#params === undefined) {
        const params = RealmURLSearchParams.of(this.#parts.search, () => {
          this.#parts = JSON.parse(host.changeUrl(this.#parts.href, "search", params.toString()));
        });
        this.#params = params;
      }
      return this.#params;
    }

    toString(): string {
      return this.#parts.href;
    }

    toJSON(): string {
      return this.#parts.href;
    }

    get [Symbol.toStringTag](): string {
      return "URL";
    }
  };
}
