/** Limits of running functions. Numbers without another source are those of Convex's documentation ("Limits"). */

/** Time that a query or mutation may spend in its own code; waiting for the database does not count. */
export const USER_TIME_MS_MAX = 1_000;
/** Evaluating one module of a push. Everything else waits meanwhile, so it is less than Convex gives. */
export const ANALYSIS_TIME_MS_MAX = 5_000;
export const ISOLATE_ACTION_TIME_MS_MAX = 30 * 60_000;
export const NODE_ACTION_TIME_MS_MAX = 10 * 60_000;

export const ARGS_BYTES_MAX = 16 * 1024 * 1024;
export const NODE_ARGS_BYTES_MAX = 5 * 1024 * 1024;
export const RESULT_BYTES_MAX = 16 * 1024 * 1024;
export const HTTP_BODY_BYTES_MAX = 20 * 1024 * 1024;
/** A request body that announces no more than this is read before its action starts. Our own number. */
export const HTTP_SHORT_BODY_BYTES_MAX = 64 * 1024;

/** Nested runQuery and runMutation. */
export const CALL_DEPTH_MAX = 8;
/** Operations of one action that are under way at once. */
export const ACTION_PENDING_MAX = 1_000;

/**
 * How long an action may wait for its worker, in which the code of another one may run without end; then another
 * worker takes it. Our own number.
 */
export const ACTION_WAIT_MS_MAX = 5_000;

export const LOG_LINES_MAX = 256;
/** Text of one console line, as the backend's source has it. */
export const LOG_LINE_LENGTH_MAX = 32_768;

/** Class S16 of Convex: what one deployment runs at once. */
export const CONCURRENT_QUERIES_MAX = 16;
export const CONCURRENT_MUTATIONS_MAX = 16;
export const CONCURRENT_ACTIONS_MAX = 64;
/** Calls that wait for a place; beyond that the engine answers "overloaded". Our own number. */
export const WAITING_CALLS_MAX = 2_000;

/** Reruns of a mutation that lost against a concurrent one, and the pause between them. */
export const CONFLICT_RETRIES_MAX = 4;
export const CONFLICT_BACKOFF_MS_MIN = 100;
export const CONFLICT_BACKOFF_MS_MAX = 2_000;
/**
 * How long the mutations of a function take turns after one of them lost. Our own number: long enough that a busy row
 * costs a wave of lost runs once a second at most, short enough that a lucky streak is soon found out.
 */
export const CONTENDED_MS = 1_000;

/** How long the result of a mutation is kept for a client that asks again (engine brief C.5). */
export const SESSION_KEPT_MS = 14 * 24 * 3_600_000;
export const SESSION_PRUNE_EVERY_MS = 3_600_000;
export const SESSION_PRUNE_BATCH = 500;

/** Scheduling may not lie further away than this, in either direction. */
export const SCHEDULE_DISTANCE_MS_MAX = 5 * 366 * 24 * 3_600_000;
/** Encoded arguments of one scheduled call. */
export const SCHEDULED_ARGS_BYTES_MAX = 4 * 1024 * 1024;
