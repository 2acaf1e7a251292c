/** What chance gave the first time, so that a second run of the same thing gets the same. */
class Tape<T> {
  readonly #drawn: T[] = [];
  #next = 0;

  draw(make: () => T): T {
    const known = this.#drawn[this.#next];
    const value = this.#next < this.#drawn.length && known !== undefined ? known : make();
    if (this.#next === this.#drawn.length) this.#drawn.push(value);
    this.#next += 1;
    return value;
  }

  rewind(): void {
    this.#next = 0;
  }
}

/** Everything random about one run of a query or mutation: law L2 promises the same result for the same fate. */
export class Fate {
  /** Random parts of new ids. */
  readonly ids = new Tape<Uint8Array>();
  /** Creation times of new documents, in milliseconds. */
  readonly times = new Tape<number>();
  /** Seeds of the function and those that it calls. */
  readonly seeds = new Tape<string>();

  rewind(): void {
    this.ids.rewind();
    this.times.rewind();
    this.seeds.rewind();
  }
}
