import { developerError } from "../errors";
import { DOCUMENT_BYTES_MAX, DOCUMENT_NESTING_MAX } from "../values/limits";

const MIB = 1024 * 1024;

/**
 * Limits of one transaction, nested calls included (Convex's `knobs.rs` and its docs, "Limits"). A write counts the
 * whole new document; `databaseQueries` are the calls of `db.get` and `db.query`. The 1.45 backend has no files in
 * mutations, so nothing is ever charged to the four limits of files; their numbers are our own.
 */
export const TRANSACTION_LIMITS = {
  bytesRead: 16 * MIB,
  bytesWritten: 16 * MIB,
  databaseQueries: 4096,
  documentsRead: 32_000,
  documentsWritten: 16_000,
  functionsScheduled: 1000,
  scheduledFunctionArgsBytes: 16 * MIB,
  filesWritten: 100,
  fileWriteBytes: 16 * MIB,
  filesRead: 100,
  fileReadBytes: 16 * MIB,
} as const;

export type LimitName = keyof typeof TRANSACTION_LIMITS;
export type TransactionLimits = Readonly<Record<LimitName, number>>;
type Counters = Record<LimitName, number>;

const LIMIT_NAMES = Object.keys(TRANSACTION_LIMITS).filter(isLimitName);

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(TRANSACTION_LIMITS, name);
}

/** What a nested call that fails gives back: what it wrote, not what it read. */
const GIVEN_BACK: readonly LimitName[] = [
  "bytesWritten",
  "documentsWritten",
  "functionsScheduled",
  "scheduledFunctionArgsBytes",
];

/** Every limit multiplied with `scale`, at least 1. A smaller scale than 1 shows how much headroom an app has. */
export function scaledLimits(scale: number): TransactionLimits {
  const limits: Counters = { ...TRANSACTION_LIMITS };
  for (const name of LIMIT_NAMES) limits[name] = Math.max(1, Math.floor(limits[name] * scale));
  return limits;
}

const HELP =
  "Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a selective index range expressions.";

/** How Convex words a limit: at the limit with "Too many", near it with "Many". */
type Wording = { readonly code: string; readonly text: string; readonly unit?: string; readonly help?: true };

const WORDINGS: { readonly [name in LimitName]?: Wording } = {
  documentsRead: {
    code: "TooManyDocumentsRead",
    text: "many documents read in a single function execution",
    help: true,
  },
  databaseQueries: { code: "TooManyReads", text: "many reads in a single function execution", help: true },
  bytesRead: {
    code: "TooManyBytesRead",
    text: "many bytes read in a single function execution",
    unit: " bytes",
    help: true,
  },
  documentsWritten: { code: "TooManyWrites", text: "many writes in a single function execution" },
  bytesWritten: {
    code: "TooManyBytesWritten",
    text: "many bytes written in a single function execution",
    unit: " bytes",
  },
  functionsScheduled: {
    code: "TooManyFunctionsScheduled",
    text: "many functions scheduled by this mutation",
  },
  scheduledFunctionArgsBytes: {
    code: "ScheduledFunctionsArgumentsTooLarge",
    text: "large total size of the arguments of scheduled functions from this mutation",
    unit: " bytes",
  },
};

/** Codes that end a page early instead of failing a paginated query. */
export const PAGINATION_LIMIT_CODES: ReadonlySet<string> = new Set([
  "TooManyDocumentsRead",
  "TooManyBytesRead",
  "QueryScannedTooManyDocumentsError",
  "QueryScannedTooMuchDataError",
]);

/** Share of a limit above which Convex writes a warning into the log of the function. */
const WARNING_SHARE = 0.8;

/** Convex's line for a quantity near its limit; null where it is not near. `text` is its beginning. */
export function nearLimit(text: string, actual: number, limit: number, unit = "", help = ""): string | null {
  if (actual <= Math.floor(limit * WARNING_SHARE) || actual > limit) return null;
  return `${text} (actual: ${actual}${unit}, limit: ${limit}${unit}).${help === "" ? "" : ` ${help}`}`;
}

export type SavedUsage = Readonly<Counters>;

const none = (): Counters => ({
  bytesRead: 0,
  bytesWritten: 0,
  databaseQueries: 0,
  documentsRead: 0,
  documentsWritten: 0,
  functionsScheduled: 0,
  scheduledFunctionArgsBytes: 0,
  filesWritten: 0,
  fileWriteBytes: 0,
  filesRead: 0,
  fileReadBytes: 0,
});

/** What a transaction has used of its limits. Charging past one throws the developer error of Convex. */
export class Usage {
  readonly #unlimited: boolean;
  readonly #used = none();
  #limits: TransactionLimits;
  #largest = { id: "", bytes: 0 };
  #deepest = { id: "", levels: 0 };

  constructor(unlimited: boolean, limits: TransactionLimits = TRANSACTION_LIMITS) {
    this.#unlimited = unlimited;
    this.#limits = limits;
  }

  chargeQuery(): void {
    this.#charge("databaseQueries", 1);
  }

  chargeRead(bytes: number): void {
    this.#charge("documentsRead", 1);
    this.#charge("bytesRead", bytes);
  }

  chargeWrite(bytes: number): void {
    this.#charge("documentsWritten", 1);
    this.#charge("bytesWritten", bytes);
  }

  /** Remembers the largest and the deepest document, for the warnings. */
  noteDocument(id: string, bytes: number, levels: number): void {
    if (bytes > this.#largest.bytes) this.#largest = { id, bytes };
    if (levels > this.#deepest.levels) this.#deepest = { id, levels };
  }

  chargeScheduled(argsBytes: number): void {
    this.#charge("functionsScheduled", 1);
    this.#charge("scheduledFunctionArgsBytes", argsBytes);
  }

  /**
   * Lowers limits for a nested call, counted from what is used already; none is ever raised. The answer puts back
   * what was before.
   */
  narrow(requested: Readonly<Record<string, number | undefined>>): () => void {
    const before = this.#limits;
    const limits: Counters = { ...before };
    for (const name of LIMIT_NAMES) {
      const asked = requested[name];
      if (asked !== undefined) limits[name] = Math.min(limits[name], this.#used[name] + asked);
    }
    this.#limits = limits;
    return () => {
      this.#limits = before;
    };
  }

  saveWrites(): SavedUsage {
    return { ...this.#used };
  }

  restoreWrites(saved: SavedUsage): void {
    for (const name of GIVEN_BACK) this.#used[name] = saved[name];
  }

  /** For `getTransactionMetrics`; what is left is negative once a limit was passed, as on Convex. */
  metrics(): Record<LimitName, { used: number; remaining: number }> {
    const of = (name: LimitName) => ({
      used: this.#used[name],
      remaining: this.#limits[name] - this.#used[name],
    });
    return {
      bytesRead: of("bytesRead"),
      bytesWritten: of("bytesWritten"),
      databaseQueries: of("databaseQueries"),
      documentsRead: of("documentsRead"),
      documentsWritten: of("documentsWritten"),
      functionsScheduled: of("functionsScheduled"),
      scheduledFunctionArgsBytes: of("scheduledFunctionArgsBytes"),
      filesWritten: of("filesWritten"),
      fileWriteBytes: of("fileWriteBytes"),
      filesRead: of("filesRead"),
      fileReadBytes: of("fileReadBytes"),
    };
  }

  /** Convex's warnings about limits that are nearly used up, in its order. */
  warnings(): string[] {
    const warnings: (string | null)[] = [];
    for (const [name, wording] of Object.entries(WORDINGS)) {
      if (!isLimitName(name)) continue;
      const text = wording.text.charAt(0).toUpperCase() + wording.text.slice(1);
      const help = wording.help === true ? HELP : "";
      warnings.push(nearLimit(text, this.#used[name], this.#limits[name], wording.unit, help));
    }
    const { id, bytes } = this.#largest;
    warnings.push(
      nearLimit(`Large document written with ID "${id}"`, bytes, DOCUMENT_BYTES_MAX, " bytes"),
      nearLimit(
        `Deeply nested document written with ID "${this.#deepest.id}"`,
        this.#deepest.levels,
        DOCUMENT_NESTING_MAX,
        " levels",
      ),
    );
    return warnings.filter((line) => line !== null);
  }

  #charge(name: LimitName, amount: number): void {
    this.#used[name] += amount;
    if (this.#used[name] > this.#limits[name] && !this.#unlimited) throw this.#exceeded(name);
  }

  #exceeded(name: LimitName): Error {
    const { code, text, unit = "", help } = WORDINGS[name] ?? { code: "TooManyFiles", text: `many ${name}` };
    const sentence = `Too ${text} (limit: ${this.#limits[name]}${unit})`;
    return developerError(code, help === true ? `${sentence}. ${HELP}` : sentence);
  }
}
