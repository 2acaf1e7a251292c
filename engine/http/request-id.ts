import type { Clock } from "../clock";

/** Names one request in answers and logs: 16 hex digits, as Convex prints them. */
export const newRequestId = (clock: Clock): string => Buffer.from(clock.randomBytes(8)).toString("hex");
