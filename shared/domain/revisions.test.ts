import { describe, expect, it } from "vitest";
import { latestEdit, type Revision, revokedAt } from "./revisions";

const revision = (wamid: string, timestamp: number, more: Partial<Revision> = {}): Revision => ({
  wamid,
  timestamp,
  kind: "edit",
  from: "customer",
  ...more,
});

describe("the changes of a message", () => {
  const first = revision("a", 1);
  const last = revision("b", 2);
  const twin = revision("c", 2);

  it("end with the latest edit, in every order, also within one second", () => {
    for (const order of [
      [first, last, twin],
      [twin, first, last],
      [last, twin, first],
    ])
      expect(latestEdit("customer", order)).toBe(twin);
  });

  it("count only when the author made them", () => {
    const forged = [
      revision("z", 9, { from: "business" }),
      revision("y", 9, { from: "business", kind: "revoke" }),
    ];
    expect(latestEdit("customer", [first, ...forged])).toBe(first);
    expect(revokedAt("customer", forged)).toBeUndefined();
  });

  it("end a message at its first revocation, and the original is no edit", () => {
    const revokes = [revision("r2", 5, { kind: "revoke" }), revision("r1", 4, { kind: "revoke" })];
    expect(revokedAt("customer", revokes)).toBe(4);
    expect(latestEdit("customer", [revision("m", 0, { kind: "original" })])).toBeUndefined();
  });
});
