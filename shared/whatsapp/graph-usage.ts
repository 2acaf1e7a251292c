import { defined } from "../defined";
import { MINUTE_MS } from "../time";
import { asObject, getNumber } from "./json";

/**
 * How much of its budget of Graph calls an app or an account has used, from the headers `x-app-usage` and
 * `x-business-use-case-usage` (Meta: "Graph API rate limits").
 */
export interface GraphUsage {
  /** The highest of all percentages told: calls, time or processor time. At 100 Meta refuses. */
  readonly percent: number;
  /** How long Meta says it will go on refusing. */
  readonly regainMs?: number;
}

const HEADERS = ["x-app-usage", "x-business-use-case-usage"];
const PERCENTAGES = ["call_count", "total_time", "total_cputime"];
/** Entries of one header that are looked at; Meta lists one for each account and use case. */
const ENTRIES_MAX = 100;

/** The usage that the headers of an answer tell, or undefined where they tell none. */
export function readUsage(headers: Headers): GraphUsage | undefined {
  const entries = HEADERS.flatMap((name) => entriesOf(headers.get(name)));
  if (entries.length === 0) return undefined;
  const numbers = (key: string) => entries.flatMap((entry) => getNumber(asObject(entry), key) ?? []);
  const regainMinutes = Math.max(0, ...numbers("estimated_time_to_regain_access"));
  return {
    percent: Math.max(0, ...PERCENTAGES.flatMap(numbers)),
    ...defined({ regainMs: regainMinutes > 0 ? regainMinutes * MINUTE_MS : undefined }),
  };
}

/** One flat object, or for each account a list of them. */
function entriesOf(header: string | null): unknown[] {
  if (header === null) return [];
  try {
    const root = asObject(JSON.parse(header));
    if (root === undefined) return [];
    const lists = Object.values(root).filter(Array.isArray);
    return lists.length > 0 ? lists.flat().slice(0, ENTRIES_MAX) : [root];
  } catch {
    // A header that is no JSON tells nothing about the usage, and the answer itself is as good without it.
    return [];
  }
}
