import { developerError } from "../errors";
import { isJsonObject, requireArray, requireObject, requireString } from "../json";
import type { JsonObject, JsonValue } from "../types";
import { IDENTIFIER_LENGTH_MAX } from "../values/limits";
import { parseValidator, type ValidatorJson } from "../values/validator";
import { type DeclaredIndex, IDENTIFIER, parseIndexes } from "./schema-indexes";

export type TableSchema = {
  readonly name: string;
  readonly indexes: readonly DeclaredIndex[];
  /** Null where documents are not checked. */
  readonly validator: ValidatorJson | null;
};

/** Reads the JSON of `schema.export()`; null declares nothing. Throws developer errors that name table and index. */
export function parseSchema(schema: JsonValue | null): TableSchema[] {
  if (schema === null) {
    return [];
  }
  const { tables, schemaValidation } = requireObject(schema, "The schema");
  const names = new Set<string>();
  return requireArray(tables, "The tables of the schema").map((json) => {
    const table = parseTable(requireObject(json, "A table of the schema"), schemaValidation !== false);
    if (names.has(table.name)) {
      throw developerError("DuplicateTable", `Table "${table.name}" is declared twice in the schema.`);
    }
    names.add(table.name);
    return table;
  });
}

function parseTable(json: JsonObject, isEnforced: boolean): TableSchema {
  const name = requireString(json["tableName"], "The name of a table");
  if (!IDENTIFIER.test(name) || name.startsWith("_") || name.length > IDENTIFIER_LENGTH_MAX) {
    throw developerError(
      "InvalidTableName",
      `Invalid table name "${name}": use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter.`,
    );
  }
  if (isJsonObject(json["stagedDocumentType"])) {
    throw developerError(
      "StagedValidatorUnsupported",
      `Table "${name}" has a staged validator, which the 1.45 backend does not know: remove .staged() from the schema.`,
    );
  }
  const indexes = parseIndexes(json, name);
  const documentType = json["documentType"];
  const validator = isEnforced && isJsonObject(documentType) ? parseValidator(documentType) : null;
  if (validator !== null) {
    for (const index of indexes) {
      checkFields(validator, index, name);
    }
  }
  return { name, indexes, validator };
}

/** An index over a field that no document may have is a mistake. */
function checkFields(validator: ValidatorJson, index: DeclaredIndex, table: string): void {
  const missing = index.fields.find((field) => !canHold(validator, field.split(".")));
  if (missing !== undefined) {
    throw developerError(
      "SchemaDefinitionError",
      `In table "${table}" the index "${index.name}" is invalid because it references the field ${missing} that does not exist.`,
    );
  }
}

/** Whether a value that fits may have something at `path`. */
function canHold(validator: ValidatorJson, path: readonly string[]): boolean {
  const [step, ...rest] = path;
  if (step === undefined || step === "_id" || step === "_creationTime") {
    return true;
  }
  switch (validator.type) {
    case "any":
    case "record":
      return true;
    case "object": {
      const field = Object.hasOwn(validator.value, step) ? validator.value[step] : undefined;
      return field !== undefined && canHold(field.fieldType, rest);
    }
    case "union":
      return validator.value.some((member) => canHold(member, path));
    default:
      return false;
  }
}
