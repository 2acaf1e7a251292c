import type { MountPoint } from "../functions/release";
import type { ComponentPath, JsonObject, JsonValue } from "../types";
import { diffIndexes, overviewOf } from "./schema-diff";

export type SchemaChange = {
  mount: MountPoint;
  before: JsonValue | null;
  after: JsonValue | null;
};

/** Answer of `evaluate_schema`: what the push would do to the tables and indexes of each component, with their sizes. */
export function schemaEvaluationJson(
  changes: readonly SchemaChange[],
  newDefinitions: readonly string[],
  countOf: (component: ComponentPath, table: string) => number,
): JsonValue {
  const evaluations = changes.map((change): [string, JsonValue] => [
    change.mount.path,
    componentJson(change, (table) => countOf(change.mount.path, table)),
  ]);
  return {
    componentSchemaEvaluations: Object.fromEntries(evaluations),
    newComponentDefinitions: [...newDefinitions],
  };
}

function componentJson(
  { mount, before, after }: SchemaChange,
  countOf: (table: string) => number,
): JsonObject {
  const overview = overviewOf(after);
  const { added, removed, enabled, disabled, same } = diffIndexes(before, after);
  const predict = (change: string, needsBackfill: boolean) => (index: { name: string }) => {
    const numDocs = countOf(index.name.split(".")[0] ?? "");
    return { ...index, change, needsBackfill: needsBackfill && numDocs > 0, numDocs };
  };
  return {
    definitionPath: mount.definitionPath,
    schemaValidation: overview.schemaValidation,
    tables: overview.tables.map((name) => ({
      name,
      outcome: overview.schemaValidation ? "mustWalk" : "notValidated",
      numDocs: countOf(name),
      sizeBytes: 0,
    })),
    indexes: [
      ...added.map(predict("added", true)),
      ...removed.map(predict("dropped", false)),
      ...enabled.map(predict("enabled", false)),
      ...disabled.map(predict("disabled", false)),
      ...same.map(predict("identical", false)),
    ],
    discardedStagedValidators: [],
  };
}
