import type { Clock } from "../clock";
import { developerError } from "../errors";
import type { Database, Transaction } from "../types";

/** Limits of Convex's documentation, which is stricter than its code. */
const VARIABLES_MAX = 512;
const NAME_LENGTH_MAX = 40;
const VALUE_BYTES_MAX = 8 * 1024;
const TOTAL_BYTES_MAX = 512 * 1024;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Set by the engine itself, for every function. */
const RESERVED = ["CONVEX_CLOUD_URL", "CONVEX_SITE_URL"];

export type Change = { name: string; value: string | null };

/** The environment variables of the deployment: rows of `_environment`, and a copy in memory that is always current. */
export class Environment {
  readonly #database: Database;
  readonly #clock: Clock;
  /** What the engine itself sets for every function. */
  readonly builtIn: { readonly [name: string]: string };
  #values: ReadonlyMap<string, string>;

  constructor(database: Database, clock: Clock, origins: { cloudOrigin: string; siteOrigin: string }) {
    this.#database = database;
    this.#clock = clock;
    this.builtIn = { CONVEX_CLOUD_URL: origins.cloudOrigin, CONVEX_SITE_URL: origins.siteOrigin };
    const rows = readRows(database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true }));
    this.#values = new Map([...rows].map(([name, row]) => [name, row.value]));
  }

  list(): { name: string; value: string }[] {
    return [...this.#values]
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /** What `process.env` of a function holds. */
  forFunctions(): { [name: string]: string } {
    return { ...Object.fromEntries(this.#values), ...this.builtIn };
  }

  /** Identity of the current values: another object after each change. */
  get version(): object {
    return this.#values;
  }

  /** Makes all changes or none. Throws "developer" for a name or value that Convex refuses. */
  async update(changes: readonly Change[]): Promise<void> {
    for (const change of changes) checkChange(change);
    const transaction = this.#database.begin({
      kind: "mutation",
      nowMs: this.#clock.nowMs(),
      unlimited: true,
    });
    const rows = readRows(transaction);
    const values = new Map([...rows].map(([name, row]) => [name, row.value]));
    for (const { name, value } of changes) {
      const row = rows.get(name);
      if (value === null) {
        if (row !== undefined) transaction.system.delete(row.id);
        rows.delete(name);
        values.delete(name);
      } else {
        if (row === undefined)
          rows.set(name, { id: transaction.system.insert("_environment", { name, value }), value });
        else transaction.system.patch(row.id, { value });
        values.set(name, value);
      }
    }
    checkTotals(values);
    await this.#database.commit(transaction);
    this.#values = values;
  }
}

function readRows(transaction: Transaction): Map<string, { id: string; value: string }> {
  const rows = transaction.system.list("_environment", "by_name", { limit: VARIABLES_MAX });
  return new Map(rows.map((row) => [String(row["name"]), { id: row._id, value: String(row["value"]) }]));
}

function checkChange({ name, value }: Change): void {
  if (name.length > NAME_LENGTH_MAX || !NAME.test(name)) {
    throw developerError(
      "EnvVarNameInvalid",
      `Environment variable name ${JSON.stringify(name)} is invalid: it needs letters, digits and underscores, no digit first, ${NAME_LENGTH_MAX} characters at most.`,
    );
  }
  if (RESERVED.includes(name)) {
    throw developerError(
      "EnvVarNameForbidden",
      `Environment variable ${name} is set by the backend and cannot be changed.`,
    );
  }
  if (value !== null && Buffer.byteLength(value) > VALUE_BYTES_MAX) {
    throw developerError(
      "EnvVarValueTooLarge",
      `The value of environment variable ${name} is larger than ${VALUE_BYTES_MAX} bytes.`,
    );
  }
}

function checkTotals(values: ReadonlyMap<string, string>): void {
  if (values.size > VARIABLES_MAX) {
    throw developerError(
      "TooManyEnvVars",
      `A deployment may have ${VARIABLES_MAX} environment variables at most.`,
    );
  }
  let bytes = 0;
  for (const [name, value] of values) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (bytes > TOTAL_BYTES_MAX) {
    throw developerError(
      "EnvVarsTooLarge",
      `All environment variables together may have ${TOTAL_BYTES_MAX} bytes at most.`,
    );
  }
}
