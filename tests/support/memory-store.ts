import type { MutationCtx } from "../../convex/_generated/server";
import schema from "../../convex/schema";

type Row = Record<string, unknown> & { _id: string; _creationTime: number };
type Condition = (value: unknown) => boolean;

/** Fields of each index, in order, from the product's own schema. */
const INDEXES = new Map(
  Object.entries(schema.tables).map(([table, definition]) => [
    table,
    new Map(definition[" indexes"]().map(({ indexDescriptor, fields }) => [indexDescriptor, fields])),
  ]),
);

/**
 * A store that holds a few rows in memory and answers what the model code asks, a hundred times faster than either
 * backend, so that a property can be tried thousands of times on the real mutations. It checks no validators and has
 * no transactions; the tests on the two backends do that.
 */
export class MemoryStore {
  readonly #tables = new Map<string, Map<string, Row>>();
  #clock = 0;

  /** What a mutation gets. Only what ingest uses is there; anything else is an error and not an empty answer. */
  get ctx(): MutationCtx {
    const db = {
      get: async (id: string) => this.#find(id) ?? null,
      insert: async (table: string, fields: object) => {
        const _id = `${table}:${++this.#clock}`;
        this.#table(table).set(_id, { ...definedOnly(fields), _id, _creationTime: this.#clock });
        return _id;
      },
      patch: async (id: string, fields: object) => {
        const row = this.#find(id);
        if (row === undefined) throw new Error(`${id} is not there.`);
        this.#table(tableOf(id)).set(id, {
          ...definedOnly({ ...row, ...fields }),
          _id: row._id,
          _creationTime: row._creationTime,
        });
      },
      delete: async (id: string) => void this.#table(tableOf(id)).delete(id),
      normalizeId: (table: string, id: string) => (id.startsWith(`${table}:`) ? id : null),
      query: (table: string) => ({
        withIndex: (index: string, range: (q: Range) => unknown) => this.#read(table, index, range),
      }),
    };
    const scheduler = { runAfter: async () => "job", runAt: async () => "job" };
    // The store is not generic over the schema; the shapes that ingest reads and writes are checked on the backends.
    return { db, scheduler } as unknown as MutationCtx;
  }

  rows(table: string): Row[] {
    return [...this.#table(table).values()];
  }

  #find(id: string): Row | undefined {
    return this.#table(tableOf(id)).get(id);
  }

  #table(name: string): Map<string, Row> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const created = new Map<string, Row>();
    this.#tables.set(name, created);
    return created;
  }

  #read(table: string, index: string, build: (q: Range) => unknown, descending = false) {
    const fields = INDEXES.get(table)?.get(index);
    if (fields === undefined) throw new Error(`${table} has no index ${index}.`);
    const range = new Range();
    build(range);
    const rows = () => {
      const found = this.rows(table).filter((row) => range.holds(row));
      found.sort((a, b) => compareRows(a, b, fields));
      return descending ? found.reverse() : found;
    };
    return {
      order: (direction: "asc" | "desc") => this.#read(table, index, build, direction === "desc"),
      take: async (count: number) => rows().slice(0, count),
      first: async () => rows()[0] ?? null,
      unique: async () => {
        const found = rows();
        if (found.length > 1) throw new Error(`${index} of ${table} is not unique.`);
        return found[0] ?? null;
      },
    };
  }
}

class Range {
  readonly #conditions: [string, Condition][] = [];

  eq(field: string, wanted: unknown): this {
    return this.#add(field, (value) => value === wanted);
  }
  gt(field: string, bound: unknown): this {
    return this.#add(field, (value) => compare(value, bound) > 0);
  }
  gte(field: string, bound: unknown): this {
    return this.#add(field, (value) => compare(value, bound) >= 0);
  }
  lt(field: string, bound: unknown): this {
    return this.#add(field, (value) => compare(value, bound) < 0);
  }
  lte(field: string, bound: unknown): this {
    return this.#add(field, (value) => compare(value, bound) <= 0);
  }
  holds(row: Row): boolean {
    return this.#conditions.every(([field, condition]) => condition(row[field]));
  }
  #add(field: string, condition: Condition): this {
    this.#conditions.push([field, condition]);
    return this;
  }
}

function compareRows(a: Row, b: Row, fields: readonly string[]): number {
  for (const field of fields) {
    const order = compare(a[field], b[field]);
    if (order !== 0) return order;
  }
  return a._creationTime - b._creationTime;
}

/** A missing field sorts first, as it does in Convex; indexes hold one kind of value otherwise. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : 1;
}

function definedOnly(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function tableOf(id: string): string {
  return id.slice(0, id.indexOf(":"));
}
