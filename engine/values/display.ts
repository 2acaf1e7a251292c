import type { JsonValue } from "../types";
import { float64Of, int64Of, kindOf } from "./encoded";
import type { ValidatorJson } from "./validator";

/** Characters of a value that go into an error message; what is longer is cut. */
const DISPLAY_LENGTH_MAX = 16_384;

/** A value as Convex prints it in messages: `{name: "Ada", age: 36.0}`. */
export function displayValue(value: JsonValue | undefined): string {
  const text = display(value);
  return text.length <= DISPLAY_LENGTH_MAX ? text : `${text.slice(0, DISPLAY_LENGTH_MAX)}[...truncated]`;
}

function display(value: JsonValue | undefined): string {
  if (value === undefined) {
    return "undefined";
  }
  if (value === null || typeof value === "boolean" || typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    return displayFloat(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(display).join(", ")}]`;
  }
  switch (kindOf(value)) {
    case "int64":
      return String(int64Of(value));
    case "float64":
      return displayFloat(float64Of(value));
    case "bytes":
      return `b"${Buffer.from(String(value["$bytes"]), "base64").toString("latin1")}"`;
    case "commitTs":
      return "commitTs";
    default:
      return `{${Object.entries(value)
        .map(([key, field]) => `${key}: ${display(field)}`)
        .join(", ")}}`;
  }
}

function displayFloat(value: number): string {
  if (Object.is(value, -0)) {
    return "-0.0";
  }
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf";
  }
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/** A validator as its source code: `v.object({name: v.string()})`. */
export function displayValidator(validator: ValidatorJson): string {
  switch (validator.type) {
    case "id":
      return `v.id("${validator.tableName}")`;
    case "number":
      return "v.float64()";
    case "bigint":
      return "v.int64()";
    case "literal":
      return `v.literal(${displayLiteral(validator.value)})`;
    case "array":
      return `v.array(${displayValidator(validator.value)})`;
    case "record":
      return `v.record(${displayValidator(validator.keys)}, ${displayValidator(validator.values.fieldType)})`;
    case "object":
      return `v.object({${Object.entries(validator.value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => `${name}: ${displayField(field.fieldType, field.optional)}`)
        .join(", ")}})`;
    case "union":
      return `v.union(${validator.value.map(displayValidator).join(", ")})`;
    default:
      return `v.${validator.type}()`;
  }
}

/** A literal as it stands inside `v.literal(...)`. */
export function displayLiteral(value: JsonValue): string {
  return kindOf(value) === "int64" ? "<bigint>" : JSON.stringify(value);
}

const displayField = (validator: ValidatorJson, optional: boolean): string =>
  optional ? `v.optional(${displayValidator(validator)})` : displayValidator(validator);
