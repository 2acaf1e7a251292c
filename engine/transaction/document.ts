import { developerError } from "../errors";
import type { JsonObject, JsonValue } from "../types";
import { displayValue } from "../values/display";
import { checkValue, isUndefinedMarker, setField, tooLarge } from "../values/encoded";
import { DOCUMENT_BYTES_MAX, DOCUMENT_NESTING_MAX, IDENTIFIER_LENGTH_MAX } from "../values/limits";

/** A document ready to be stored. */
export type BuiltDocument = {
  readonly value: JsonObject;
  /** Canonical encoded JSON of `value`. */
  readonly text: string;
  /** Bytes by Convex's formula, system fields included. */
  readonly size: number;
  /** Levels of arrays and objects, the document itself being the first. */
  readonly nesting: number;
};

/** Name, terminator and value of `_creationTime`; the same of `_id` without the characters of the id itself. */
const CREATION_TIME_BYTES = 23;
const ID_BYTES_BESIDE_TEXT = 6;

/**
 * Puts the fields that a function wrote and the system fields together. `fields` may repeat the system fields if
 * they are the same. Throws developer errors with Convex's texts.
 */
export function buildDocument(fields: JsonObject, id: string, creationTime: JsonValue): BuiltDocument {
  checkSystemFields(fields, id, creationTime);
  const { _id: _ignoredId, _creationTime: _ignoredTime, ...own } = fields;
  const checked = checkValue(own);
  const nesting = Math.max(checked.nesting, 1);
  if (nesting > DOCUMENT_NESTING_MAX) {
    throw developerError(
      "TooNestedError",
      `Document is too nested (nested ${nesting} levels deep > maximum nesting ${DOCUMENT_NESTING_MAX})`,
    );
  }
  const size = checked.size + CREATION_TIME_BYTES + ID_BYTES_BESIDE_TEXT + id.length;
  if (size > DOCUMENT_BYTES_MAX) {
    throw tooLarge(size, DOCUMENT_BYTES_MAX);
  }
  const value = withSystemFields(asObject(checked.value), id, creationTime);
  return { value, text: JSON.stringify(value), size, nesting };
}

/** `base` with the fields of a patch; a field whose patch is `{"$undefined":null}` is removed. */
export function mergePatch(base: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (isUndefinedMarker(value)) {
      delete merged[name];
    } else {
      setField(merged, name, value);
    }
  }
  return merged;
}

/** Top-level names: identifiers of at most 64 characters (docs "Limits"); `_` is the engine's. */
const TOP_LEVEL_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

function checkSystemFields(fields: JsonObject, id: string, creationTime: JsonValue): void {
  for (const name of Object.keys(fields)) {
    if (TOP_LEVEL_NAME.test(name) && name.length <= IDENTIFIER_LENGTH_MAX) {
      continue;
    }
    if (name === "_id") {
      if (fields["_id"] !== id) {
        throw developerError(
          "InvalidIdError",
          `Provided document ID "${id}" doesn't match '_id' field ${displayValue(fields["_id"])}`,
        );
      }
    } else if (name === "_creationTime") {
      if (JSON.stringify(fields["_creationTime"]) !== JSON.stringify(creationTime)) {
        throw developerError(
          "InvalidCreationTimeError",
          `Provided creation time ${displayValue(creationTime)} doesn't match '_creationTime' field in ${displayValue(fields)}`,
        );
      }
    } else if (name.startsWith("_")) {
      throw developerError(
        "UnderscoreFieldError",
        `Field '${name}' starts with an underscore, which is only allowed for system fields like '_id'`,
      );
    } else if (name.length > IDENTIFIER_LENGTH_MAX) {
      throw developerError(
        "FieldNameTooLong",
        `Field name ${name} exceeds the maximum length ${IDENTIFIER_LENGTH_MAX} of a document's field.`,
      );
    } else {
      throw developerError(
        "InvalidFieldName",
        `Field name ${name} is not valid in a document: use letters, digits and underscores, beginning with a letter.`,
      );
    }
  }
}

/** Names are ordered by bytes: capitals come before `_`, small letters after it. */
function withSystemFields(fields: JsonObject, id: string, creationTime: JsonValue): JsonObject {
  const document: JsonObject = {};
  let placed = false;
  const place = () => {
    document["_creationTime"] = creationTime;
    document["_id"] = id;
    placed = true;
  };
  for (const [name, value] of Object.entries(fields)) {
    if (!placed && name > "_") {
      place();
    }
    document[name] = value;
  }
  if (!placed) {
    place();
  }
  return document;
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value;
  }
  throw developerError("InvalidDocument", "A document must be an object.");
}

/** A stored document. What lies on disk was written by `buildDocument` and is trusted. */
export function parseStored(text: string): JsonObject {
  const document: JsonObject = JSON.parse(text);
  return document;
}
