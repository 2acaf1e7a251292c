/** Places in the memory that the main thread shares with its guard. */
export const STATE = 0;
/** Counts the stretches of guarded code. */
export const STRETCH = 1;
/** How long the current one may take, in milliseconds. */
export const LIMIT_MS = 2;
/** 1 while the guard sleeps and has to be woken. */
export const ASLEEP = 3;
export const CELLS = 4;

/** Values of `STATE`. Only the guard goes from running to striking, and only the main thread comes back from there. */
export const IDLE = 0;
export const RUNNING = 1;
export const STRIKING = 2;
