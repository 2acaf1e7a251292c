import { api } from "../../convex/_generated/api";
import { queryAs } from "./convex";

/**
 * Whether this deployment has an owner; until then the sign-in page offers to become it.
 * @throws BackendUnavailable when Convex does not answer
 */
export async function isInstanceClaimed(): Promise<boolean> {
  return (await queryAs(null, api.instance.status, {})).claimed;
}
