import { developerError } from "../errors";
import type { Interval } from "../storage/store";
import type { JsonValue } from "../types";
import { displayValue } from "../values/display";
import { checkValue, isUndefinedMarker } from "../values/encoded";
import { afterPrefix, encodeKey, encodeKeys, type Key } from "../values/key";

/** One condition of `.withIndex()`; an absent value is `undefined`, which only missing fields equal. */
type Condition = {
  readonly type: "Eq" | "Gt" | "Gte" | "Lt" | "Lte";
  readonly field: string;
  readonly value: JsonValue | undefined;
};

type Bounds = { field: string; lower: Condition | null; upper: Condition | null };

/** The whole of an index. */
export const EVERYTHING: Interval = { start: "", end: null };
/** A place in an index where nothing is. */
export const NOTHING: Interval = { start: "", end: "" };

/**
 * Turns the conditions of an index range into an interval of keys. Equalities may come in any order; together with at
 * most one field that has bounds they must name the first fields of the index.
 *
 * @param indexName `table.index`, for messages
 * @param fields all fields of the index, `_creationTime` and `_id` included
 * Throws developer errors `FieldNotInIndex`, `InvalidIndexRange`, `BoundsOnMultipleFields`, `AlreadyDefinedBound`.
 */
export function compileRange(conditions: JsonValue, indexName: string, fields: readonly string[]): Interval {
  const equalities = new Map<string, JsonValue | undefined>();
  let bounds: Bounds | null = null;
  for (const condition of parseConditions(conditions)) {
    if (condition.type === "Eq") {
      if (equalities.has(condition.field)) {
        throw alreadyDefined("equality", condition.field, "==", equalities.get(condition.field));
      }
      equalities.set(condition.field, condition.value);
    } else {
      bounds = addBound(bounds, condition, indexName);
    }
  }
  if (bounds !== null && equalities.has(bounds.field)) {
    throw alreadyDefined("inequality", bounds.field, "==", equalities.get(bounds.field));
  }
  const used = [...equalities.keys()];
  for (const field of bounds === null ? used : [...used, bounds.field]) {
    if (!fields.includes(field)) {
      throw developerError(
        "FieldNotInIndex",
        `The index range included a comparison with ${JSON.stringify(field)}, but ${indexName} with fields ${displayFields(fields)} doesn't index this field. For more information see https://docs.convex.dev/using/indexes.`,
      );
    }
  }
  used.sort((a, b) => fields.indexOf(a) - fields.indexOf(b));
  const order = bounds === null ? used : [...used, bounds.field];
  const wrong = order.find((field, position) => fields[position] !== field);
  if (wrong !== undefined) {
    throw developerError(
      "InvalidIndexRange",
      `Tried to query index ${indexName} but the query didn't use the index fields in order.\nIndex fields: ${displayFields(fields)}\nQuery fields: ${displayFields(order)}\nFirst incorrect field: ${wrong}\nFor more information see https://docs.convex.dev/using/indexes.`,
    );
  }
  const prefix = encodeKeys(used.map((field) => equalities.get(field)));
  return {
    start: lowerKey(prefix, bounds?.lower ?? null),
    end: upperKey(prefix, bounds?.upper ?? null),
  };
}

function lowerKey(prefix: Key, bound: Condition | null): Key {
  if (bound === null) {
    return prefix;
  }
  const key = prefix + encodeKey(bound.value);
  return bound.type === "Gte" ? key : (afterPrefix(key) ?? key);
}

function upperKey(prefix: Key, bound: Condition | null): Key | null {
  if (bound === null) {
    return afterPrefix(prefix);
  }
  const key = prefix + encodeKey(bound.value);
  return bound.type === "Lt" ? key : afterPrefix(key);
}

function addBound(bounds: Bounds | null, condition: Condition, indexName: string): Bounds {
  const isUpper = condition.type === "Lt" || condition.type === "Lte";
  const next: Bounds = bounds ?? { field: condition.field, lower: null, upper: null };
  if ((isUpper ? next.upper : next.lower) !== null) {
    const signs = { Gt: ">", Gte: ">=", Lt: "<", Lte: "<=", Eq: "==" };
    throw alreadyDefined(
      isUpper ? "upper" : "lower",
      condition.field,
      signs[condition.type],
      condition.value,
    );
  }
  if (next.field !== condition.field) {
    throw developerError(
      "BoundsOnMultipleFields",
      `Upper and lower bounds in \`range\` can only be applied to a single index field. This query against index ${indexName} attempted to set a range bound on both ${JSON.stringify(next.field)} and ${JSON.stringify(condition.field)}. Consider using \`filter\` instead. See https://docs.convex.dev/using/indexes for more info.`,
    );
  }
  return isUpper ? { ...next, upper: condition } : { ...next, lower: condition };
}

function parseConditions(json: JsonValue): Condition[] {
  if (!Array.isArray(json)) {
    throw malformed();
  }
  return json.map((item) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      throw malformed();
    }
    const { type, fieldPath, value } = item;
    if (type !== "Eq" && type !== "Gt" && type !== "Gte" && type !== "Lt" && type !== "Lte") {
      throw malformed();
    }
    if (typeof fieldPath !== "string" || value === undefined) {
      throw malformed();
    }
    return { type, field: fieldPath, value: isUndefinedMarker(value) ? undefined : checkValue(value).value };
  });
}

const malformed = () => developerError("InvalidQuery", "The range of an index query is malformed.");

const alreadyDefined = (kind: string, field: string, sign: string, value: JsonValue | undefined) =>
  developerError(
    "AlreadyDefinedBound",
    `Already defined ${kind} bound in index range. Can't add ${JSON.stringify(field)} ${sign} ${displayValue(value)}.`,
  );

const displayFields = (fields: readonly string[]): string =>
  `[${fields.map((field) => JSON.stringify(field)).join(", ")}]`;
