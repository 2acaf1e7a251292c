import type { RealmState } from "./state";

/** A Date that takes its "now" from elsewhere, in Unix milliseconds. */
export function createDate(now: () => number): DateConstructor {
  const RealDate = Date;
  const handler: ProxyHandler<DateConstructor> = {
    apply: () => new RealDate(now()).toString(),
    construct: (_target, args, newTarget) =>
      Reflect.construct(
        RealDate,
        args.length === 0 ? [now()] : args,
        newTarget === frozen ? RealDate : newTarget,
      ),
    get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver)),
  };
  const frozen: DateConstructor = new Proxy(RealDate, handler);
  Object.defineProperty(RealDate.prototype, "constructor", {
    value: frozen,
    writable: true,
    configurable: true,
  });
  return frozen;
}

/** `performance` with a clock that does not move. */
export function createPerformance(state: RealmState): object {
  return {
    now: () => 0,
    get timeOrigin() {
      return state.nowMs;
    },
    mark: () => undefined,
    measure: () => undefined,
    clearMarks: () => undefined,
    clearMeasures: () => undefined,
    getEntries: () => [],
    getEntriesByName: () => [],
    getEntriesByType: () => [],
    toJSON: () => ({ timeOrigin: state.nowMs }),
  };
}
