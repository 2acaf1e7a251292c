import type { Program } from "./program";
import { Realm } from "./realm";
import type { RealmSetup } from "./sandbox/port";

/** Idle realms that are kept; each holds the modules of the push, some megabytes. */
const IDLE_REALMS_MAX = 32;
/** Furnished ahead in `fresh` mode, while nothing else waits. */
const SPARE_REALMS = 2;

/**
 * Realms for the calls of one release. `reuse` hands a realm on to the next call when its call has ended cleanly;
 * `fresh` never does, so that state in modules cannot be relied on, as on Convex.
 */
export class RealmPool {
  readonly #idle: Realm[] = [];
  readonly #make: () => Realm;
  readonly #isolation: "fresh" | "reuse";
  #filling = false;
  #closed = false;

  constructor(program: Program, setup: RealmSetup, isolation: "fresh" | "reuse") {
    this.#make = () => new Realm(program, setup);
    this.#isolation = isolation;
    if (isolation === "fresh") this.#fill();
  }

  lease(): Realm {
    const realm = this.#idle.pop() ?? this.#make();
    if (this.#isolation === "fresh") this.#fill();
    return realm;
  }

  /** @param clean false when the call left something behind: it timed out, or a promise of it was never settled */
  giveBack(realm: Realm, clean: boolean): void {
    realm.release();
    if (this.#isolation === "reuse" && clean && !this.#closed && this.#idle.length < IDLE_REALMS_MAX) {
      this.#idle.push(realm);
    }
  }

  close(): void {
    this.#closed = true;
    this.#idle.length = 0;
  }

  #fill(): void {
    if (this.#filling || this.#closed || this.#idle.length >= SPARE_REALMS) return;
    this.#filling = true;
    setImmediate(() => {
      this.#filling = false;
      if (this.#closed) return;
      this.#idle.push(this.#make());
      this.#fill();
    }).unref();
  }
}
