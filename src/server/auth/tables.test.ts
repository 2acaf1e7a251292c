import { getAuthTables } from "better-auth/db";
import { expect, it } from "vitest";
import { authTables } from "../../../convex/tables/auth";
import { makeIdentityKey } from "../../../tests/support/convex-backend";
import { parseEnv } from "../env";
import { authOptions } from "./better-auth";

/** What Convex stores for each of Better Auth's types. */
const STORED_TYPES: Record<string, string> = {
  string: "string",
  boolean: "boolean",
  number: "float64",
  date: "float64",
};

const env = parseEnv({
  BETTER_AUTH_SECRET: "a-secret-that-is-only-used-by-this-test-file",
  CONVEX_IDENTITY_KEY: JSON.stringify(await makeIdentityKey()),
  API_KEY_PEPPER: "k1:pepper",
});

it("the store's tables have exactly the fields and look-ups that Better Auth's configuration asks for", () => {
  const wanted = Object.entries(getAuthTables(authOptions(env))).map(([model, table]) => [
    `auth_${model}`,
    {
      id: { type: "string", optional: false },
      ...Object.fromEntries(
        Object.entries(table.fields).map(([name, field]) => [
          name,
          { type: STORED_TYPES[String(field.type)], optional: field.required === false },
        ]),
      ),
    },
  ]);
  const stored = Object.entries(authTables).map(([name, table]) => [
    name,
    Object.fromEntries(
      Object.entries(table.validator.fields).map(([field, validator]) => [
        field,
        { type: typeOf(validator), optional: validator.isOptional === "optional" },
      ]),
    ),
  ]);
  expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(wanted));

  for (const [model, table] of Object.entries(getAuthTables(authOptions(env)))) {
    const indexes = indexedFields(`auth_${model}`);
    for (const [name, field] of Object.entries(table.fields)) {
      const isLookedUp = field.unique === true || field.index === true || field.references !== undefined;
      if (isLookedUp) expect(indexes, `auth_${model}.${name}`).toContain(name);
    }
  }
});

/** Optional fields are a union with null, because Better Auth writes null for "nothing". */
function typeOf(validator: { kind: string; members?: readonly { kind: string }[] }): string {
  const kinds = validator.members?.map(({ kind }) => kind).filter((kind) => kind !== "null");
  return kinds?.join("|") ?? validator.kind;
}

function indexedFields(name: string): string[] {
  const [, table] = Object.entries(authTables).find(([tableName]) => tableName === name) ?? [];
  return table?.[" indexes"]().map(({ fields }) => fields[0] ?? "") ?? [];
}
