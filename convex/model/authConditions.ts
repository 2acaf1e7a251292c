import { type Infer, v } from "convex/values";
import { fail } from "./errors";

const vScalar = v.union(v.null(), v.string(), v.number(), v.boolean());
type Scalar = Infer<typeof vScalar>;

/** Field values by name. What a model's fields are is checked by the schema of its table when they are written. */
export const vFields = v.record(v.string(), vScalar);
export type Fields = Infer<typeof vFields>;

/** One condition of Better Auth. Those joined by AND must all hold, and of those joined by OR at least one. */
export const vCondition = v.object({
  field: v.string(),
  operator: v.union(
    v.literal("eq"),
    v.literal("ne"),
    v.literal("lt"),
    v.literal("lte"),
    v.literal("gt"),
    v.literal("gte"),
    v.literal("in"),
    v.literal("not_in"),
    v.literal("contains"),
    v.literal("starts_with"),
    v.literal("ends_with"),
  ),
  value: v.union(vScalar, v.array(v.string()), v.array(v.number())),
  connector: v.union(v.literal("AND"), v.literal("OR")),
  mode: v.union(v.literal("sensitive"), v.literal("insensitive")),
});
export type Condition = Infer<typeof vCondition>;

export const vSort = v.object({
  field: v.string(),
  direction: v.union(v.literal("asc"), v.literal("desc")),
});
export type Sort = Infer<typeof vSort>;

/** Whether the fields of a row meet the conditions. A field that is missing counts as null, as in SQL stores. */
export function meets(row: Fields, where: readonly Condition[]): boolean {
  const all = where.filter(({ connector }) => connector === "AND");
  const any = where.filter(({ connector }) => connector === "OR");
  return all.every((one) => holds(row, one)) && (any.length === 0 || any.some((one) => holds(row, one)));
}

/** The rows in the order of one field, those without it first; equal ones keep their order. */
export function sortRows<Row extends Fields>(rows: readonly Row[], { field, direction }: Sort): Row[] {
  const sign = direction === "asc" ? 1 : -1;
  return rows.toSorted((a, b) => sign * compare(a[field] ?? null, b[field] ?? null));
}

function holds(row: Fields, { field, operator, value, mode }: Condition): boolean {
  const fold = (scalar: Scalar): Scalar =>
    mode === "insensitive" && typeof scalar === "string" ? scalar.toLowerCase() : scalar;
  const actual = fold(row[field] ?? null);
  if (Array.isArray(value)) {
    const contained = value.some((one) => fold(one) === actual);
    if (operator === "in") return contained;
    if (operator === "not_in") return !contained;
    return fail("invalid_request", { say: "Only the operators in and not_in take a list." });
  }
  const wanted = fold(value);
  const text = typeof actual === "string" && typeof wanted === "string" ? { actual, wanted } : null;
  switch (operator) {
    case "eq":
      return actual === wanted;
    case "ne":
      return actual !== wanted;
    case "lt":
      return areComparable(actual, wanted) && compare(actual, wanted) < 0;
    case "lte":
      return areComparable(actual, wanted) && compare(actual, wanted) <= 0;
    case "gt":
      return areComparable(actual, wanted) && compare(actual, wanted) > 0;
    case "gte":
      return areComparable(actual, wanted) && compare(actual, wanted) >= 0;
    case "contains":
      return text?.actual.includes(text.wanted) ?? false;
    case "starts_with":
      return text?.actual.startsWith(text.wanted) ?? false;
    case "ends_with":
      return text?.actual.endsWith(text.wanted) ?? false;
    case "in":
    case "not_in":
      return fail("invalid_request", { say: "The operators in and not_in take a list." });
  }
}

/** Only values of one type have an order; nothing is smaller or larger than null. */
const areComparable = (a: Scalar, b: Scalar): boolean => a !== null && typeof a === typeof b;

function compare(a: Scalar, b: Scalar): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
