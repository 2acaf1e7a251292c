import { expect } from "vitest";
import { ISSUER, rule } from "../backend";

const GONE = "nothing was thrown";

export const metaRules = [
  rule("a function knows its caller, and that there is none", async (t) => {
    const user = await t.as("ana");
    const expected = { subject: "ana", issuer: ISSUER, tokenIdentifier: `${ISSUER}|ana` };
    expect(await t.query("meta:identity")).toBeNull();
    expect(await user.query("meta:identity")).toMatchObject(expected);
    expect(await user.mutation("meta:identityInMutation")).toMatchObject(expected);
    expect(await user.action("meta:identityInAction")).toMatchObject(expected);
  }),

  rule("a function knows its own name", async (t) => {
    const self = { name: "meta:self", componentPath: "", type: "query", visibility: "public" };
    expect(await t.query("meta:self")).toEqual(self);
    expect(await t.action("meta:selfInAction")).toMatchObject({ name: "meta:selfInAction", type: "action" });
  }),

  rule("a function knows its deployment", async (t) => {
    expect(await t.query("meta:deployment")).toEqual({
      name: expect.any(String),
      region: null,
      class: "s16",
    });
  }),

  rule("mutations and actions know their request", async (t) => {
    const request = { requestId: expect.any(String), scheduledFunctionId: null };
    expect(await t.mutation("meta:request")).toMatchObject(request);
    expect(await t.action("meta:requestInAction")).toMatchObject(request);
  }),

  rule("queries do not know their request", async (t) => {
    expect(await t.query("meta:rawInQuery", { op: "1.0/getRequestMetadata", args: {} })).not.toBe(GONE);
  }),

  rule("a transaction counts what it uses", async (t) => {
    expect(await t.mutation("meta:metrics")).toEqual({
      written: 1,
      read: 1,
      queries: 1,
      left: expect.any(Number),
    });
  }),

  rule("actions have no transaction to count", async (t) => {
    expect(await t.action("meta:rawInAction", { op: "1.0/getTransactionMetrics", args: {} })).not.toBe(GONE);
  }),

  rule("an operation that does not exist is refused", async (t) => {
    for (const sync of [true, false]) {
      expect(await t.mutation("meta:raw", { op: "1.0/doesNotExist", args: {}, sync })).toHaveProperty(
        "error",
      );
    }
  }),

  rule("what belongs to the cloud alone is refused", async (t) => {
    for (const op of ["1.0/createServiceToken", "1.0/getServiceUrl", "1.0/signJwt"]) {
      expect(await t.mutation("meta:raw", { op, args: {}, sync: false }), op).toHaveProperty("error");
    }
  }),

  rule("the audit log of the cloud is refused", async (t) => {
    expect(await t.mutation("meta:raw", { op: "1.0/auditLog", args: {}, sync: false })).toHaveProperty(
      "error",
    );
  }),

  rule("the timestamp of the snapshot, newer than the 1.45 backend, is refused", async (t) => {
    expect(await t.mutation("meta:raw", { op: "1.0/getSnapshotTs", args: {}, sync: true })).toHaveProperty(
      "error",
    );
  }),

  rule("vector search is refused", async (t) => {
    const query = { indexName: "items.by_vector", limit: 1, vector: [1], expressions: null };
    expect(await t.action("meta:rawInAction", { op: "1.0/actions/vectorSearch", args: { query } })).not.toBe(
      GONE,
    );
  }),

  rule("the legacy argument of a component is empty in the app", async (t) => {
    const call = { op: "1.0/componentArgument", args: { name: "any" }, sync: true };
    expect(await t.mutation("meta:raw", call)).toEqual({ answer: "{}" });
  }),

  rule("a query cannot write", async (t) => {
    for (const op of ["1.0/insert", "1.0/storageGenerateUploadUrl", "1.0/schedule"]) {
      const args = { table: "items", value: { label: "x" } };
      expect(await t.query("meta:rawInQuery", { op, args }), op).not.toBe(GONE);
    }
  }),
];
