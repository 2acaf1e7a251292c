type Listener = ((event: RealmEvent) => void) | { handleEvent(event: RealmEvent): void };

export class RealmEvent {
  readonly type: string;
  readonly cancelable: boolean;
  defaultPrevented = false;
  target: unknown = null;

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = options.cancelable === true;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }
}

export class RealmEventTarget {
  #listeners = new Map<string, { listener: Listener; once: boolean }[]>();

  addEventListener(
    type: string,
    listener: Listener | null,
    options: { once?: boolean } | boolean = {},
  ): void {
    if (listener === null) return;
    const list = this.#listeners.get(type) ?? [];
    if (!list.some((entry) => entry.listener === listener)) {
      list.push({ listener, once: typeof options === "object" && options.once === true });
    }
    this.#listeners.set(type, list);
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const list = this.#listeners.get(type) ?? [];
    this.#listeners.set(
      type,
      list.filter((entry) => entry.listener !== listener),
    );
  }

  dispatchEvent(event: RealmEvent): boolean {
    event.target = this;
    for (const entry of [...(this.#listeners.get(event.type) ?? [])]) {
      if (entry.once) this.removeEventListener(event.type, entry.listener);
      if (typeof entry.listener === "function") entry.listener.call(this, event);
      else entry.listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

const abortError = (): Error =>
  Object.assign(new Error("This operation was aborted"), { name: "AbortError", code: 20 });

export class RealmAbortSignal extends RealmEventTarget {
  #aborted = false;
  #reason: unknown;
  onabort: ((event: RealmEvent) => void) | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason: unknown = abortError()): RealmAbortSignal {
    const signal = new RealmAbortSignal();
    RealmAbortSignal.fire(signal, reason);
    return signal;
  }

  static fire(signal: RealmAbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason;
    const event = new RealmEvent("abort");
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }
}

export class RealmAbortController {
  readonly signal = new RealmAbortSignal();

  abort(reason: unknown = abortError()): void {
    RealmAbortSignal.fire(this.signal, reason);
  }
}
