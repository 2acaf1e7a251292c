/** The newest items of a log: as many as fit into a number and a size, of which the oldest go first. */
export class Ring<T> {
  #items: T[] = [];
  /** Items before this one are gone; they are cut off now and then, not one by one. */
  #first = 0;
  #bytes = 0;
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  readonly #sizeOf: (item: T) => number;

  constructor(itemsMax: number, bytesMax: number, sizeOf: (item: T) => number) {
    this.#itemsMax = itemsMax;
    this.#bytesMax = bytesMax;
    this.#sizeOf = sizeOf;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += this.#sizeOf(item);
    while (this.#items.length - this.#first > 1 && this.#isFull()) {
      const oldest = this.#items[this.#first++];
      if (oldest !== undefined) this.#bytes -= this.#sizeOf(oldest);
    }
    if (this.#first > this.#itemsMax) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
  }

  /** What is kept, oldest first. */
  list(): readonly T[] {
    return this.#items.slice(this.#first);
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #isFull(): boolean {
    return this.#items.length - this.#first > this.#itemsMax || this.#bytes > this.#bytesMax;
  }
}
