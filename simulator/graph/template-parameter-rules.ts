import { getNumber, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import type { Template } from "../world";
import { type GraphFailure, invalidParameter, missing } from "./graph-error";
import { at, fileProblem, firstProblem, required } from "./message-checks";

/** Formats of a header that need a parameter of the same kind. */
export const mediaFormats: ReadonlySet<string> = new Set([
  "IMAGE",
  "VIDEO",
  "DOCUMENT",
  "GIF",
  "LOCATION",
  "PRODUCT",
]);

/** Names of the places of a text, each once, in order. */
export const placesOf = (text: string): string[] => [
  ...new Set([...text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, name = ""]) => name)),
];

export function countMismatch(where: string, given: number, expected: number): GraphFailure | null {
  if (given === expected) return null;
  return {
    status: 400,
    code: 132000,
    message: "(#132000) Number of parameters does not match the expected number of params",
    details: `${where}: number of localizable_params (${given}) does not match the expected number of params (${expected})`,
  };
}

export function formatMismatch(details: string): GraphFailure {
  return {
    status: 400,
    code: 132012,
    message: "(#132012) Parameter format does not match format in the created template",
    details,
  };
}

/** Parameters of a text: of a kind that texts take, filled, and by name where the template has names. */
export function parametersProblem(
  template: Template,
  where: string,
  parameters: readonly (JsonObject | undefined)[],
  places: readonly string[],
): GraphFailure | null {
  const wrong = firstProblem(parameters, (parameter, index) => valueProblem(parameter, at(where, index)));
  if (wrong !== null || template.parameterFormat !== "NAMED") return wrong;
  const names = parameters.map((parameter) => getText(parameter, "parameter_name") ?? "");
  const absent = places.find((place) => !names.includes(place));
  return absent === undefined
    ? null
    : invalidParameter(`Parameter name is missing or empty: ${where} needs ${absent.slice(0, 80)}.`);
}

function valueProblem(parameter: JsonObject | undefined, path: string): GraphFailure | null {
  const type = (getText(parameter, "type") ?? "").toLowerCase();
  switch (type) {
    case "text":
      return required(parameter, path, ["text"]) ?? characterProblem(getText(parameter, "text") ?? "");
    case "currency": {
      const currency = getObject(parameter, "currency");
      if (getNumber(currency, "amount_1000") === undefined)
        return missing(at(at(path, "currency"), "amount_1000"));
      return required(currency, at(path, "currency"), ["fallback_value", "code"]);
    }
    case "date_time":
      return required(getObject(parameter, "date_time"), at(path, "date_time"), ["fallback_value"]);
    default:
      return formatMismatch(`${path}: a text takes text, currency or date_time, not ${type.slice(0, 40)}`);
  }
}

/** Meta's policy for the values of a template: no line breaks, no tabs, no more than four spaces in a row. */
function characterProblem(text: string): GraphFailure | null {
  if (!/[\n\t]| {5}/.test(text)) return null;
  return {
    status: 400,
    code: 132007,
    message: "(#132007) Template format character policy violated",
    details: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
  };
}

/** The file, place or product of a header; `kind` is also its key. */
export function headerParameterProblem(
  simulation: Simulation,
  parameter: JsonObject,
  kind: string,
): GraphFailure | null {
  const path = `header['parameters'][0]['${kind}']`;
  const value = getObject(parameter, kind);
  if (kind === "location") return required(value, path, ["latitude", "longitude"]);
  if (kind === "product") return required(value, path, ["product_retailer_id", "catalog_id"]);
  return fileProblem(simulation, value, path);
}
