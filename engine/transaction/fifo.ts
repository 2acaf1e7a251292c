/** Shifts that are carried out together, so that each costs next to nothing. */
const SHIFTS_PER_MOVE = 1024;

/** A queue that is also searched: items leave at the front, enter at the back, and lie in ascending order. */
export class Fifo<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): Item | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  first(): Item | undefined {
    return this.#items[this.#head];
  }

  last(): Item | undefined {
    return this.length > 0 ? this.#items.at(-1) : undefined;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  pop(): Item | undefined {
    return this.length > 0 ? this.#items.pop() : undefined;
  }

  shift(): void {
    if (this.length === 0) {
      return;
    }
    this.#head += 1;
    if (this.#head >= SHIFTS_PER_MOVE && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The first index whose item is not `before`; items that are come first. */
  upperBound(before: (item: Item) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.at(middle);
      if (item !== undefined && before(item)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
