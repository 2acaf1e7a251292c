import { describe, expect, test } from "vitest";
import { SCOPES } from "../scopes";
import { can, isAtLeast, mayGrantScope, type Permission, ROLES } from "./roles";

/** Every verb, written out by hand: member, admin, owner. */
const TABLE: Record<Permission, string> = {
  "inbox.read": "yes yes yes",
  "inbox.write": "yes yes yes",
  "messages.send": "yes yes yes",
  "templates.manage": "no  yes yes",
  "consent.manage": "yes yes yes",
  "members.read": "yes yes yes",
  "members.manage": "no  yes yes",
  "owners.manage": "no  no  yes",
  "keys.own": "yes yes yes",
  "keys.manage": "no  yes yes",
  "targets.read": "no  yes yes",
  "targets.manage": "no  yes yes",
  "account.read": "yes yes yes",
  "account.manage": "no  yes yes",
  "account.remove": "no  no  yes",
  "audit.read": "no  yes yes",
  "data.export": "no  yes yes",
  "data.erase": "no  no  yes",
};

const permissions = Object.keys(TABLE) as Permission[];

describe("roles", () => {
  test.each(Object.entries(TABLE))("%s: %s", (permission, row) => {
    const allowed = ROLES.map((role) => (can(role, permission as Permission) ? "yes" : "no"));
    expect(allowed).toEqual(row.split(/\s+/));
  });

  test("each may do everything that the one below may", () => {
    for (const permission of permissions) {
      const answers = ROLES.map((role) => can(role, permission));
      expect(answers).toEqual([...answers].sort());
    }
  });

  test("are ordered", () => {
    expect(ROLES.map((role) => ROLES.filter((other) => isAtLeast(role, other)))).toEqual([
      ["member"],
      ["member", "admin"],
      ["member", "admin", "owner"],
    ]);
  });

  test("hand every scope on, because every role may read, write and send", () => {
    for (const role of ROLES) expect(SCOPES.filter((scope) => !mayGrantScope(role, scope))).toEqual([]);
  });
});
