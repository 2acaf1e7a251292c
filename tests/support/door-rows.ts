import type { api } from "../../convex/_generated/api";
import { CALLER_ROWS } from "./door-rows-callers";
import { MEMBER_ROWS } from "./door-rows-members";
import { SERVER_ROWS } from "./door-rows-server";
import type { World } from "./tenant-world";

type Api = typeof api;

/** For each public function of these modules the arguments with which it is asked about a world. */
export type DoorRows<Modules extends keyof Api> = {
  [Module in Modules]: {
    [Name in keyof Api[Module]]: (w: World) => Api[Module][Name] extends { _args: infer Args } ? Args : never;
  };
};

/**
 * Every public function, by module and name. The only part of the tenant matrix that is written by hand: a new public
 * function needs its row here, which both the compiler and `convex/tenantMatrix.test.ts` ask for.
 */
const ROWS: DoorRows<keyof Api> = { ...MEMBER_ROWS, ...CALLER_ROWS, ...SERVER_ROWS };

/** The rows under the names that Convex gives the functions: `module:name`. */
export const DOOR_ROWS: ReadonlyMap<string, (w: World) => Record<string, unknown>> = new Map(
  Object.entries(ROWS).flatMap(([module, rows]) =>
    Object.entries(rows).map(([name, args]) => [`${module}:${name}`, args]),
  ),
);
