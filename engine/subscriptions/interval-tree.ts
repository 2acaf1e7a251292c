import type { Key } from "../values/key";

/**
 * Intervals of keys, each with the things that wait on it, found by a key in time that depends on the number of
 * answers and hardly on the number of intervals: a balanced search tree by the start of the intervals (a treap), in
 * which each node knows the furthest end below it.
 */
export class IntervalTree<Item> {
  #root: Node<Item> | null = null;
  #random = 0x9e3779b9;

  add(start: Key, end: Key | null, item: Item): void {
    this.#root = this.#insert(this.#root, start, end, item);
  }

  remove(start: Key, end: Key | null, item: Item): void {
    this.#root = removeItem(this.#root, start, end, item);
  }

  get isEmpty(): boolean {
    return this.#root === null;
  }

  /** Calls `visit` for every item whose interval holds `key`. */
  stab(key: Key, visit: (item: Item) => void): void {
    stabNode(this.#root, key, visit);
  }

  #insert(node: Node<Item> | null, start: Key, end: Key | null, item: Item): Node<Item> {
    if (node === null) {
      return {
        start,
        end,
        items: new Set([item]),
        priority: this.#nextRandom(),
        maxEnd: end,
        left: null,
        right: null,
      };
    }
    const order = compare(start, end, node);
    if (order === 0) {
      node.items.add(item);
      return node;
    }
    if (order < 0) {
      node.left = this.#insert(node.left, start, end, item);
      return node.left.priority > node.priority ? rotateRight(node, node.left) : refresh(node);
    }
    node.right = this.#insert(node.right, start, end, item);
    return node.right.priority > node.priority ? rotateLeft(node, node.right) : refresh(node);
  }

  /** Xorshift: the shape of the tree has to be even, not unpredictable. */
  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}

type Node<Item> = {
  readonly start: Key;
  /** Exclusive; null reaches to the end of the index. */
  readonly end: Key | null;
  readonly items: Set<Item>;
  readonly priority: number;
  maxEnd: Key | null;
  left: Node<Item> | null;
  right: Node<Item> | null;
};

function compare(start: Key, end: Key | null, node: { start: Key; end: Key | null }): number {
  if (start !== node.start) {
    return start < node.start ? -1 : 1;
  }
  if (end === node.end) {
    return 0;
  }
  return node.end === null || (end !== null && end < node.end) ? -1 : 1;
}

const later = (a: Key | null, b: Key | null): Key | null => (a === null || b === null ? null : a > b ? a : b);

function refresh<Item>(node: Node<Item>): Node<Item> {
  let maxEnd = node.end;
  if (node.left !== null) {
    maxEnd = later(maxEnd, node.left.maxEnd);
  }
  if (node.right !== null) {
    maxEnd = later(maxEnd, node.right.maxEnd);
  }
  node.maxEnd = maxEnd;
  return node;
}

function rotateRight<Item>(node: Node<Item>, left: Node<Item>): Node<Item> {
  node.left = left.right;
  left.right = refresh(node);
  return refresh(left);
}

function rotateLeft<Item>(node: Node<Item>, right: Node<Item>): Node<Item> {
  node.right = right.left;
  right.left = refresh(node);
  return refresh(right);
}

function removeItem<Item>(
  node: Node<Item> | null,
  start: Key,
  end: Key | null,
  item: Item,
): Node<Item> | null {
  if (node === null) {
    return null;
  }
  const order = compare(start, end, node);
  if (order < 0) {
    node.left = removeItem(node.left, start, end, item);
    return refresh(node);
  }
  if (order > 0) {
    node.right = removeItem(node.right, start, end, item);
    return refresh(node);
  }
  node.items.delete(item);
  return node.items.size > 0 ? node : join(node.left, node.right);
}

/** One tree of two, where all of `left` comes before all of `right`. */
function join<Item>(left: Node<Item> | null, right: Node<Item> | null): Node<Item> | null {
  if (left === null || right === null) {
    return left ?? right;
  }
  if (left.priority > right.priority) {
    left.right = join(left.right, right);
    return refresh(left);
  }
  right.left = join(left, right.left);
  return refresh(right);
}

function stabNode<Item>(node: Node<Item> | null, key: Key, visit: (item: Item) => void): void {
  let current = node;
  while (current !== null && (current.maxEnd === null || key < current.maxEnd)) {
    stabNode(current.left, key, visit);
    if (key < current.start) {
      return;
    }
    if (current.end === null || key < current.end) {
      for (const item of current.items) {
        visit(item);
      }
    }
    current = current.right;
  }
}
