/// <reference types="vite/client" />
import { convexTest } from "convex-test";
import { describe, expect, it } from "vitest";
import { api, internal } from "./_generated/api";
import type { Condition } from "./model/authConditions";
import schema from "./schema";

const modules = import.meta.glob(["./**/*.ts", "./_generated/*.js", "!./**/*.test.ts"]);

/** A fresh store, called as the Next server does. */
const openStore = () => convexTest(schema, modules).withIdentity({ subject: "service:next", use: "service" });

const is = (field: string, value: Condition["value"], operator: Condition["operator"] = "eq"): Condition => ({
  field,
  operator,
  value,
  connector: "AND",
  mode: "sensitive",
});

const user = (id: string, email: string) => ({
  model: "user" as const,
  data: { id, name: "Ana", email, emailVerified: false, createdAt: 1, updatedAt: 1 },
});

const verification = (id: string, expiresAt = 10) => ({
  model: "verification" as const,
  data: { id, identifier: "reset", value: "v", expiresAt, createdAt: 1, updatedAt: 1 },
});

const counter = (key: string, lastRequest = 0) => ({
  model: "rateLimit" as const,
  data: { id: key, key, count: 0, lastRequest },
});

describe("the sign-in store", () => {
  it("refuses everybody but the Next server, also with a valid identity of another use", async () => {
    const store = convexTest(schema, modules);
    const read = { model: "user" as const, where: [] };
    await expect(store.query(api.authStore.find, read)).rejects.toThrow(/unauthorized/);
    const person = store.withIdentity({ subject: "user_1", use: "user" });
    await expect(person.query(api.authStore.find, read)).rejects.toThrow(/unauthorized/);
    const impostor = store.withIdentity({ subject: "service:next", use: "user" });
    await expect(impostor.mutation(api.authStore.create, user("u1", "a@b.test"))).rejects.toThrow(
      /unauthorized/,
    );
  });

  it("gives back what was created, without Convex's own fields", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, user("u1", "a@b.test"));
    const rows = await store.query(api.authStore.find, { model: "user", where: [is("email", "a@b.test")] });
    expect(rows).toEqual([user("u1", "a@b.test").data]);
  });

  it("treats a missing field and null alike", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, user("missing", "a@b.test"));
    await store.mutation(api.authStore.create, {
      model: "user",
      data: { ...user("null", "b@b.test").data, image: null },
    });
    const withoutImage = await store.query(api.authStore.find, { model: "user", where: [is("image", null)] });
    expect(withoutImage.map((row) => row["id"])).toEqual(["missing", "null"]);
    const withImage = await store.query(api.authStore.find, {
      model: "user",
      where: [is("image", null, "ne")],
    });
    expect(withImage).toEqual([]);
  });

  it("refuses a field that the model does not have", async () => {
    const store = openStore();
    const strange = { model: "user" as const, data: { ...user("u1", "a@b.test").data, role: "admin" } };
    await expect(store.mutation(api.authStore.create, strange)).rejects.toThrow();
  });

  it("keeps unique fields unique when created, renamed and raced", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, user("u1", "a@b.test"));
    await expect(store.mutation(api.authStore.create, user("u2", "a@b.test"))).rejects.toThrow(
      /already_exists/,
    );
    await store.mutation(api.authStore.create, user("u2", "b@b.test"));
    const rename = { model: "user" as const, where: [is("id", "u2")], set: { email: "a@b.test" } };
    await expect(store.mutation(api.authStore.updateOne, rename)).rejects.toThrow(/already_exists/);
    const same = { ...rename, where: [is("id", "u1")] };
    expect(await store.mutation(api.authStore.updateOne, same)).toMatchObject({ id: "u1" });

    const race = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        store.mutation(api.authStore.create, user(`r${i}`, "race@b.test")),
      ),
    );
    expect(race.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("gives a single-use value to exactly one of twenty callers", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, verification("once"));
    const taken = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.mutation(api.authStore.consumeOne, {
          model: "verification",
          where: [is("identifier", "reset")],
        }),
      ),
    );
    expect(taken.filter((row) => row !== null)).toHaveLength(1);
    expect(await store.query(api.authStore.count, { model: "verification", where: [] })).toBe(0);
  });

  it("consumes one row when several match", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, verification("a"));
    await store.mutation(api.authStore.create, verification("b"));
    await store.mutation(api.authStore.consumeOne, {
      model: "verification",
      where: [is("identifier", "reset")],
    });
    expect(await store.query(api.authStore.count, { model: "verification", where: [] })).toBe(1);
  });

  it("counts twenty concurrent steps without losing one and stops at the guard", async () => {
    const store = openStore();
    await store.mutation(api.authStore.create, counter("ip|/sign-in"));
    const step = {
      model: "rateLimit" as const,
      where: [is("key", "ip|/sign-in"), is("count", 15, "lt")],
      increment: { count: 1 },
      set: { lastRequest: 5 },
    };
    const steps = await Promise.all(
      Array.from({ length: 20 }, () => store.mutation(api.authStore.incrementOne, step)),
    );
    expect(steps.filter((row) => row !== null)).toHaveLength(15);
    const [row] = await store.query(api.authStore.find, { model: "rateLimit", where: [] });
    expect(row).toMatchObject({ count: 15, lastRequest: 5 });
  });

  it("joins conditions, orders, skips and limits as SQL stores do", async () => {
    const store = openStore();
    for (const [id, at] of [
      ["c", 3],
      ["a", 1],
      ["b", 2],
      ["d", 4],
    ] as const) {
      await store.mutation(api.authStore.create, verification(id, at));
    }
    const either: Condition[] = [
      is("identifier", "reset"),
      { ...is("id", "a"), connector: "OR" },
      { ...is("expiresAt", 3, "gte"), connector: "OR" },
    ];
    const ids = async (more: object, where = either) => {
      const rows = await store.query(api.authStore.find, { model: "verification", where, ...more });
      return rows.map((row) => row["id"]);
    };
    expect(await ids({ sortBy: { field: "expiresAt", direction: "desc" } })).toEqual(["d", "c", "a"]);
    expect(await ids({ sortBy: { field: "expiresAt", direction: "asc" }, offset: 1, limit: 1 })).toEqual([
      "c",
    ]);
    const sorted = { sortBy: { field: "id", direction: "asc" } };
    expect(await ids(sorted, [is("id", ["a", "d"], "in")])).toEqual(["a", "d"]);
    expect(await ids(sorted, [is("id", ["a", "d"], "not_in")])).toEqual(["b", "c"]);
    expect(await ids({}, [{ ...is("identifier", "RES", "starts_with"), mode: "insensitive" }])).toHaveLength(
      4,
    );
    expect(await ids({}, [is("expiresAt", 2, "lt")])).toEqual(["a"]);
  });

  it("updates and deletes every matching row and says how many", async () => {
    const store = openStore();
    for (const id of ["a", "b", "c"]) await store.mutation(api.authStore.create, verification(id));
    const where = [is("id", ["a", "b"], "in")];
    const set = { value: "changed" };
    expect(await store.mutation(api.authStore.updateMany, { model: "verification", where, set })).toBe(2);
    expect(await store.mutation(api.authStore.deleteMany, { model: "verification", where })).toBe(2);
    const left = await store.query(api.authStore.find, { model: "verification", where: [] });
    expect(left).toMatchObject([{ id: "c", value: "v" }]);
  });

  it("prunes what has ended and keeps what lives", async () => {
    const store = openStore();
    const now = Date.now();
    await store.mutation(api.authStore.create, verification("ended", now - 1));
    await store.mutation(api.authStore.create, verification("alive", now + 60_000));
    await store.mutation(api.authStore.create, counter("old", now - 25 * 60 * 60 * 1000));
    await store.mutation(api.authStore.create, counter("new", now));
    expect(await store.mutation(internal.authStore.prune, {})).toBe(2);
    expect(await store.query(api.authStore.count, { model: "verification", where: [] })).toBe(1);
    expect(await store.query(api.authStore.count, { model: "rateLimit", where: [] })).toBe(1);
  });

  it("admits the owner of the instance and members of an account, nobody else", async () => {
    const store = openStore();
    const admitted = (userId: string) => store.query(api.authStore.admitted, { userId });
    expect(await admitted("owner")).toBe(false);
    await store.run(async (ctx) => {
      await ctx.db.insert("instance", { key: "instance", ownerUserId: "owner", claimedAt: 1 });
    });
    expect(await admitted("owner")).toBe(true);
    expect(await admitted("stranger")).toBe(false);
  });
});
