import { developerError, type EngineError } from "../errors";

/** Limits of one transaction, nested calls included (Convex's `knobs.rs` and its docs, "Limits"). */
export const DOCUMENTS_READ_MAX = 32_000;
export const BYTES_READ_MAX = 16 * 1024 * 1024;
/** `db.get` and `db.query` calls. */
export const DATABASE_QUERIES_MAX = 4096;
export const DOCUMENTS_WRITTEN_MAX = 16_000;
/** Each write counts the whole new document. */
export const BYTES_WRITTEN_MAX = 16 * 1024 * 1024;
export const FUNCTIONS_SCHEDULED_MAX = 1000;
export const SCHEDULED_ARGS_BYTES_MAX = 16 * 1024 * 1024;

const HELP =
  "Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a selective index range expressions.";

/** Codes that end a page early instead of failing a paginated query. */
export const PAGINATION_LIMIT_CODES: ReadonlySet<string> = new Set([
  "TooManyDocumentsRead",
  "TooManyBytesRead",
  "QueryScannedTooManyDocumentsError",
  "QueryScannedTooMuchDataError",
]);

type WriteCounters = {
  documentsWritten: number;
  bytesWritten: number;
  functionsScheduled: number;
  scheduledArgsBytes: number;
};

/** What a transaction has used of its limits. Charging past one throws the developer error of Convex. */
export class Usage {
  readonly #unlimited: boolean;
  documentsRead = 0;
  bytesRead = 0;
  databaseQueries = 0;
  #writes: WriteCounters = {
    documentsWritten: 0,
    bytesWritten: 0,
    functionsScheduled: 0,
    scheduledArgsBytes: 0,
  };

  constructor(unlimited: boolean) {
    this.#unlimited = unlimited;
  }

  chargeQuery(): void {
    this.databaseQueries += 1;
    this.#ensure(this.databaseQueries <= DATABASE_QUERIES_MAX, () =>
      developerError(
        "TooManyReads",
        `Too many reads in a single function execution (limit: ${DATABASE_QUERIES_MAX}). ${HELP}`,
      ),
    );
  }

  chargeRead(bytes: number): void {
    this.documentsRead += 1;
    this.bytesRead += bytes;
    this.#ensure(this.documentsRead <= DOCUMENTS_READ_MAX, () =>
      developerError(
        "TooManyDocumentsRead",
        `Too many documents read in a single function execution (limit: ${DOCUMENTS_READ_MAX}). ${HELP}`,
      ),
    );
    this.#ensure(this.bytesRead <= BYTES_READ_MAX, () =>
      developerError(
        "TooManyBytesRead",
        `Too many bytes read in a single function execution (limit: ${BYTES_READ_MAX} bytes). ${HELP}`,
      ),
    );
  }

  chargeWrite(bytes: number): void {
    this.#writes.documentsWritten += 1;
    this.#writes.bytesWritten += bytes;
    this.#ensure(this.#writes.documentsWritten <= DOCUMENTS_WRITTEN_MAX, () =>
      developerError(
        "TooManyWrites",
        `Too many writes in a single function execution (limit: ${DOCUMENTS_WRITTEN_MAX})`,
      ),
    );
    this.#ensure(this.#writes.bytesWritten <= BYTES_WRITTEN_MAX, () =>
      developerError(
        "TooManyBytesWritten",
        `Too many bytes written in a single function execution (limit: ${BYTES_WRITTEN_MAX} bytes)`,
      ),
    );
  }

  chargeScheduled(argsBytes: number): void {
    this.#writes.functionsScheduled += 1;
    this.#writes.scheduledArgsBytes += argsBytes;
    this.#ensure(this.#writes.functionsScheduled <= FUNCTIONS_SCHEDULED_MAX, () =>
      developerError(
        "TooManyFunctionsScheduled",
        `Too many functions scheduled by this mutation (limit: ${FUNCTIONS_SCHEDULED_MAX})`,
      ),
    );
    this.#ensure(this.#writes.scheduledArgsBytes <= SCHEDULED_ARGS_BYTES_MAX, () =>
      developerError(
        "ScheduledFunctionsArgumentsTooLarge",
        `Too large total size of the arguments of scheduled functions from this mutation (limit: ${SCHEDULED_ARGS_BYTES_MAX} bytes)`,
      ),
    );
  }

  /** What a nested call that fails gives back: its writes, not its reads. */
  saveWrites(): WriteCounters {
    return { ...this.#writes };
  }

  restoreWrites(saved: WriteCounters): void {
    this.#writes = { ...saved };
  }

  metrics(): Record<string, { used: number; remaining: number }> {
    const of = (used: number, max: number) => ({ used, remaining: Math.max(0, max - used) });
    return {
      bytesRead: of(this.bytesRead, BYTES_READ_MAX),
      bytesWritten: of(this.#writes.bytesWritten, BYTES_WRITTEN_MAX),
      databaseQueries: of(this.databaseQueries, DATABASE_QUERIES_MAX),
      documentsRead: of(this.documentsRead, DOCUMENTS_READ_MAX),
      documentsWritten: of(this.#writes.documentsWritten, DOCUMENTS_WRITTEN_MAX),
      functionsScheduled: of(this.#writes.functionsScheduled, FUNCTIONS_SCHEDULED_MAX),
      scheduledFunctionArgsBytes: of(this.#writes.scheduledArgsBytes, SCHEDULED_ARGS_BYTES_MAX),
    };
  }

  #ensure(holds: boolean, failure: () => EngineError): void {
    if (!holds && !this.#unlimited) {
      throw failure();
    }
  }
}
