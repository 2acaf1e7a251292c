import { type CleanedWhere, createAdapterFactory } from "better-auth/adapters";
import type { FunctionArgs } from "convex/server";
import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import { mutateAs, queryAs } from "../convex";
import type { Identity } from "../identity";
import { noteOutage } from "./outage";

type StoreModel = FunctionArgs<typeof api.authStore.create>["model"];
type StoreCondition = FunctionArgs<typeof api.authStore.find>["where"][number];
type StoreFields = FunctionArgs<typeof api.authStore.create>["data"];

const SERVICE: Identity = { use: "service" };

const model = z.enum(["user", "session", "account", "verification", "rateLimit"] satisfies StoreModel[]);
const scalar = z.union([z.null(), z.string(), z.number(), z.boolean()]);
const fields = z.record(z.string(), scalar);
const conditionValue = z.union([scalar, z.array(z.string()), z.array(z.number())]);

/**
 * Better Auth's database: each operation is one function of `convex/authStore.ts`, called as the Next server. Dates
 * are stored as milliseconds, and a field that the store does not have is null.
 */
export const storeAdapter = createAdapterFactory({
  config: {
    adapterId: "convex-store",
    adapterName: "Convex store",
    supportsJSON: false,
    supportsArrays: false,
    customTransformInput: ({ data }) => (data instanceof Date ? data.getTime() : data),
    customTransformOutput: ({ data, fieldAttributes }) =>
      fieldAttributes.type === "date" && typeof data === "number" ? new Date(data) : (data ?? null),
  },
  adapter: () => ({
    create: async (op) =>
      asRow(
        await seen(
          mutateAs(SERVICE, api.authStore.create, {
            model: model.parse(op.model),
            data: fields.parse(op.data),
          }),
        ),
      ),
    findOne: async (op) => {
      const [row] = await seen(queryAs(SERVICE, api.authStore.find, { ...target(op), limit: 1 }));
      return row === undefined ? null : asRow(row);
    },
    findMany: async (op) => {
      const args = {
        ...target(op),
        limit: op.limit,
        ...(op.offset !== undefined && { offset: op.offset }),
        ...(op.sortBy !== undefined && { sortBy: op.sortBy }),
      };
      const rows: StoreFields[] = await seen(queryAs(SERVICE, api.authStore.find, args));
      return rows.map((row) => asRow(row));
    },
    count: async (op) => await seen(queryAs(SERVICE, api.authStore.count, target(op))),
    update: async (op) => {
      const args = { ...target(op), set: fields.parse(op.update) };
      return asRowOrNull(await seen(mutateAs(SERVICE, api.authStore.updateOne, args)));
    },
    updateMany: async (op) => {
      const args = { ...target(op), set: fields.parse(op.update) };
      return await seen(mutateAs(SERVICE, api.authStore.updateMany, args));
    },
    delete: async (op) => void (await seen(mutateAs(SERVICE, api.authStore.deleteMany, target(op)))),
    deleteMany: async (op) => await seen(mutateAs(SERVICE, api.authStore.deleteMany, target(op))),
    consumeOne: async (op) =>
      asRowOrNull(await seen(mutateAs(SERVICE, api.authStore.consumeOne, target(op)))),
    incrementOne: async (op) => {
      const args = { ...target(op), increment: op.increment, set: fields.parse(op.set ?? {}) };
      return asRowOrNull(await seen(mutateAs(SERVICE, api.authStore.incrementOne, args)));
    },
  }),
});

/** Every call passes here, so that an outage is seen even where Better Auth swallows the error. */
const seen = async <Result>(call: Promise<Result>): Promise<Result> => await call.catch(noteOutage);

function target(op: { model: string; where?: CleanedWhere[] | undefined }) {
  return { model: model.parse(op.model), where: (op.where ?? []).map(condition) };
}

function condition({ field, operator, value, connector, mode }: CleanedWhere): StoreCondition {
  return { field, operator, value: conditionValue.parse(value), connector, mode };
}

// Better Auth names the row's type at the call, which no value can prove; the schema of the table has checked every
// field when the row was written.
const asRow = <Row>(row: StoreFields): Row => row as Row;
const asRowOrNull = <Row>(row: StoreFields | null): Row | null => (row === null ? null : asRow(row));
