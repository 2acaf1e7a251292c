import type { DocumentTerms, SearchChange } from "../storage/search-terms";
import type { Key } from "../values/key";
import { finds, type SearchRead } from "./search-reads";

type Entry<Item> = { readonly read: SearchRead; readonly item: Item };

/** The searches that share their first equality, or have none, by the words that they look for. */
type Group<Item> = {
  readonly exact: Map<string, Set<Entry<Item>>>;
  readonly prefixes: Map<string, Set<Entry<Item>>>;
};

/**
 * Who waits for documents that their search could find. A changed document asks with its own words and filter values,
 * so that searches for other words cost nothing.
 */
export class SearchWatches<Item> {
  /** By index, then by first equality. */
  readonly #groups = new Map<number, Map<string, Group<Item>>>();
  readonly #entries = new Map<Item, Entry<Item>[]>();

  add(reads: readonly SearchRead[], item: Item): void {
    if (reads.length === 0) {
      return;
    }
    const entries = reads.map((read) => ({ read, item }));
    this.#entries.set(item, entries);
    for (const entry of entries) {
      const group = this.#groupOf(entry.read);
      for (const term of entry.read.terms.exact) {
        addTo(group.exact, term, entry);
      }
      if (entry.read.terms.prefix !== null) {
        addTo(group.prefixes, entry.read.terms.prefix, entry);
      }
    }
  }

  remove(item: Item): void {
    for (const entry of this.#entries.get(item) ?? []) {
      const { xid, terms } = entry.read;
      const slot = slotOf(entry.read);
      const groups = this.#groups.get(xid);
      const group = groups?.get(slot);
      if (groups === undefined || group === undefined) {
        continue;
      }
      for (const term of terms.exact) {
        removeFrom(group.exact, term, entry);
      }
      if (terms.prefix !== null) {
        removeFrom(group.prefixes, terms.prefix, entry);
      }
      if (group.exact.size === 0 && group.prefixes.size === 0) {
        groups.delete(slot);
        if (groups.size === 0) {
          this.#groups.delete(xid);
        }
      }
    }
    this.#entries.delete(item);
  }

  clear(): void {
    this.#groups.clear();
    this.#entries.clear();
  }

  /** Calls `visit` for each that could find the document as it was or as it is. */
  probe({ xid, old, next }: SearchChange, visit: (item: Item) => void): void {
    const groups = this.#groups.get(xid);
    if (groups === undefined) {
      return;
    }
    for (const document of old === next ? [old] : [old, next]) {
      if (document === null) {
        continue;
      }
      probeGroup(groups.get(""), document, visit);
      for (const [field, key] of document.filters.entries()) {
        probeGroup(groups.get(slotName(field, key)), document, visit);
      }
    }
  }

  #groupOf(read: SearchRead): Group<Item> {
    let groups = this.#groups.get(read.xid);
    if (groups === undefined) {
      groups = new Map();
      this.#groups.set(read.xid, groups);
    }
    const slot = slotOf(read);
    let group = groups.get(slot);
    if (group === undefined) {
      group = { exact: new Map(), prefixes: new Map() };
      groups.set(slot, group);
    }
    return group;
  }
}

const slotName = (field: number, key: Key): string => `${field}:${key}`;

function slotOf({ filters: [first] }: SearchRead): string {
  return first === undefined ? "" : slotName(first.field, first.key);
}

function probeGroup<Item>(
  group: Group<Item> | undefined,
  document: DocumentTerms,
  visit: (item: Item) => void,
): void {
  if (group === undefined) {
    return;
  }
  const tell = (entries: ReadonlySet<Entry<Item>> | undefined) => {
    for (const { read, item } of entries ?? []) {
      if (finds(read, document)) {
        visit(item);
      }
    }
  };
  for (const term of document.counts.keys()) {
    tell(group.exact.get(term));
    if (group.prefixes.size > 0) {
      for (let end = 1; end <= term.length; end += 1) {
        tell(group.prefixes.get(term.slice(0, end)));
      }
    }
  }
}

function addTo<Item>(map: Map<string, Set<Item>>, key: string, item: Item): void {
  const set = map.get(key);
  if (set === undefined) {
    map.set(key, new Set([item]));
  } else {
    set.add(item);
  }
}

function removeFrom<Item>(map: Map<string, Set<Item>>, key: string, item: Item): void {
  const set = map.get(key);
  set?.delete(item);
  if (set?.size === 0) {
    map.delete(key);
  }
}
