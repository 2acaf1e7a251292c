import { makeFunctionReference, type UserIdentity } from "convex/server";
import { convexToJson, type Value } from "convex/values";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { can, ROLES, type Role } from "#shared/domain/roles";
import { type App, closeApp, openApp } from "../tests/support/convex-app";
import { DOOR_ROWS } from "../tests/support/door-rows";
import { type Door, listPublicFunctions, type PublicFunction } from "../tests/support/doors";
import { addWeakKeys, openWorld, removeMember, removeWorld, type World } from "../tests/support/tenant-world";
import { api } from "./_generated/api";
import schema from "./schema";

/**
 * Every public function x everybody who may knock x what they may ask about. The functions come from the deployment,
 * their doors from the builders, the arguments from one row each; every cell is generated from these.
 *
 * One deployment serves all cells: a refused call may change nothing, which is checked, and a call that is let in is
 * rolled back.
 */
const PUBLIC = listPublicFunctions();

type Identity = Partial<UserIdentity> | null;

interface Visitor {
  name: string;
  identity: Identity;
  as:
    | "nobody"
    | "service"
    | "outsider"
    | { insider: Role }
    | "dead key"
    | "key"
    | "key without scope"
    | "key for other tools"
    | "foreign key";
}

interface Subject {
  name: string;
  world: World;
  /** `own` is that of the tenant whose doors are tried, `nothing` a call that names no tenant; a `part` is foreign or gone in the own account. */
  is: "own" | "foreign" | "gone" | "malformed" | "nothing";
  part?: keyof World;
}

let app: App;
let own: World;
let foreign: World;
let gone: World;
let visitors: Visitor[];

const person = (subject: string): Identity => ({ subject, use: "user" });
const keyOf = (apiKeyId: string): Identity => ({ subject: apiKeyId, use: "mcp", apiKeyId });

type Args = Record<string, unknown>;

/** What a call came to: the code of its refusal or error, and all of the answer as it would go over the wire. */
interface Answer {
  code: string;
  bytes: string;
}

async function answerOf(call: Promise<unknown>): Promise<Answer> {
  try {
    const value = (await call) as Value | undefined;
    const refused = value instanceof Object && "reason" in value && "refused" in value;
    return {
      code: refused ? String(value["reason"]) : "answer",
      bytes: JSON.stringify(convexToJson(value ?? null)),
    };
  } catch (error) {
    const data: unknown = error instanceof Error && "data" in error ? error.data : undefined;
    const read: unknown = typeof data === "string" ? JSON.parse(data) : data;
    if (read instanceof Object && "code" in read)
      return { code: String(read.code), bytes: JSON.stringify(read) };
    const message = String(error);
    return {
      code: /Validator error|ArgumentValidation/.test(message) ? INVALID_ARGUMENTS : message,
      bytes: message,
    };
  }
}

/** Convex refuses what is of another type before the function runs, whoever asks. */
const INVALID_ARGUMENTS = "invalid arguments";

async function knock({ name, type }: PublicFunction, { identity }: Visitor, args: Args): Promise<Answer> {
  const as = identity === null ? app.backend : app.backend.withIdentity(identity);
  if (type === "query") return await answerOf(as.query(makeFunctionReference<"query">(name), args));
  if (type === "action") return await answerOf(as.action(makeFunctionReference<"action">(name), args));
  return await answerOf(as.mutation(makeFunctionReference<"mutation">(name), args));
}

/** As `knock`, for a call that is let in: what a mutation writes is rolled back, so every cell finds the same world. */
async function knockAndRollBack(fn: PublicFunction, visitor: Visitor, args: Args): Promise<Answer> {
  if (fn.type !== "mutation") return await knock(fn, visitor, args);
  const as = visitor.identity === null ? app.backend : app.backend.withIdentity(visitor.identity);
  let answer: Answer | undefined;
  const call = as.mutation(async (ctx) => {
    answer = await answerOf(ctx.runMutation(makeFunctionReference<"mutation">(fn.name), args));
    throw new Error("rolled back");
  });
  await expect(call).rejects.toThrow("rolled back");
  if (answer === undefined) throw new Error(`${fn.name} was not called.`);
  return answer;
}

/** A refused send is written down, in the account of whoever tried. */
const LOGS = ["auditLog", "auditChains"];

/** Every row of every table but the audit log. */
async function digest(): Promise<string> {
  return await app.backend.run(async (ctx) => {
    const tables: string[] = [];
    for (const table of TABLES) {
      const rows = await ctx.db.query(table).collect();
      tables.push(`${table} ${JSON.stringify(rows.map((row) => convexToJson(row)))}`);
    }
    return tables.join("\n");
  });
}
const TABLES = (Object.keys(schema.tables) as (keyof typeof schema.tables)[]).filter(
  (table) => !LOGS.includes(table),
);

/** The parts of a world that the row's arguments name. */
function partsOf(row: (w: World) => Args): (keyof World)[] {
  const used = new Set<keyof World>();
  row(
    new Proxy(own, {
      get: (world, key: keyof World) => {
        used.add(key);
        return world[key];
      },
    }),
  );
  return [...used];
}

/** The whole world of somebody, and the own one with a single thing of theirs in it. */
function subjectsOf(door: Door, parts: (keyof World)[]): Subject[] {
  if (parts.length === 0) return [{ name: "nothing", is: "nothing", world: own }];
  // The server belongs to no tenant: it acts for all of them.
  if (door.kind === "service") return [{ name: "own", is: "own", world: own }];
  const malformed = worldOf(() => "nonsense");
  const ofAnotherTable = worldOf((key) => (key === "accountId" ? own.contactId : own.accountId));
  const others = [
    { name: "foreign", is: "foreign", world: foreign },
    { name: "deleted", is: "gone", world: gone },
    { name: "malformed", is: "malformed", world: malformed },
    { name: "another table's", is: "malformed", world: ofAnotherTable },
  ] as const;
  return [
    { name: "own", is: "own", world: own },
    ...others,
    ...parts
      .filter((part) => part !== "accountId" && part !== "phone")
      .flatMap((part) =>
        others.map(({ name, is, world }) => ({
          name: `own with ${name} ${part}`,
          is,
          part,
          world: { ...own, [part]: world[part] },
        })),
      ),
  ];
}

/** Ids are strings to whoever sends them. */
const worldOf = (value: (key: string) => string) =>
  Object.fromEntries(Object.keys(own).map((key) => [key, value(key)])) as unknown as World;

/** What the registry of doors, roles and scopes says about a cell; null where the visitor asks about their own. */
function expected(fn: PublicFunction, door: Door, { as, name }: Visitor, subject: Subject): string | null {
  const exists = subject.is === "own" ? "answer" : "not_found";
  const isPerson = as === "outsider" || typeof as === "object";
  if (door.kind === "public") return "answer";
  if (door.kind === "service") return as === "service" ? "answer" : "unauthorized";
  if (door.kind === "user") return isPerson ? "answer" : "unauthorized";
  if (door.kind === "member") {
    if (!isPerson) return "unauthorized";
    const ownsForeign = name.startsWith("the other tenant");
    if (as === "outsider")
      return ownsForeign && subject.is === "foreign" && !subject.part ? null : "not_found";
    if (subject.is !== "own" && subject.part === undefined) return "not_found";
    return can(as.insider, door.permission) ? exists : "forbidden";
  }
  if (as !== "key" && as !== "foreign key" && as !== "key without scope" && as !== "key for other tools")
    return "unauthorized";
  if (as === "key for other tools" && door.tools === "named") return "scope_missing";
  if (as === "foreign key" && subject.is === "foreign") return null;
  if (subject.is === "nothing" || ANSWERS_WITH_NOTHING.includes(fn.name)) return "answer";
  if (as === "key without scope" || as === "key for other tools")
    return HIDES_SCOPES.includes(fn.name) ? "not_found" : "scope_missing";
  return as === "key" ? exists : "not_found";
}

/** They tell a listener what there is to hear, which is nothing for what is not the key's; told like what is gone. */
const ANSWERS_WITH_NOTHING = ["mcpConfirmations:noteShown", "mcpPush:changes", "mcpPush:locate"];

/** What the key may not read is not there to be subscribed to. */
const HIDES_SCOPES = ["mcpSessions:subscribe"];

/** What nobody hears who is let in and asks well. */
const GATES = ["unauthorized", "forbidden", "not_found", "scope_missing", INVALID_ARGUMENTS];
/** What a malformed id may be called, beside being not found. */
const MALFORMED = [INVALID_ARGUMENTS, "invalid_request", "invalid_recipient", "invite_invalid"];

describe("every public function", () => {
  it("has a row in the tenant matrix and a door that can be read", () => {
    expect([...DOOR_ROWS.keys()].sort()).toEqual(PUBLIC.map(({ name }) => name).sort());
    expect(PUBLIC.filter(({ door }) => door === undefined)).toEqual([]);
  });

  it("of a key names its tools, but for those that need none", () => {
    const open = PUBLIC.filter(({ door }) => door?.kind === "caller" && door.tools === "any");
    expect(open.map(({ name }) => name)).toEqual(FOR_ANY_TOOL);
  });

  it.each(["admin", "owner"] as const)("asks for an %s where it should", (role) => {
    const least = ({ door }: PublicFunction) =>
      door?.kind === "member" ? ROLES.find((may) => can(may, door.permission)) : undefined;
    expect(PUBLIC.filter((fn) => least(fn) === role).map(({ name }) => name)).toEqual(ABOVE_MEMBER[role]);
  });
});

/** The doors that a key narrowed to other tools may use, said once more by hand. */
const FOR_ANY_TOOL = [
  "mcpConfirmations:answer",
  "mcpConfirmations:noteShown",
  "mcpConfirmations:read",
  "mcpPush:changes",
  "mcpPush:locate",
  "mcpPush:rights",
  "mcpReads:getUsage",
  "mcpResources:numbers",
  "mcpSessions:end",
  "mcpSessions:read",
  "mcpSessions:subscribe",
  "mcpSessions:unsubscribe",
];

/** The doors that are closed to plain members, said once more by hand: a slip in a permission shows here. */
const ABOVE_MEMBER: Record<Exclude<Role, "member">, string[]> = {
  admin: [
    "accountHealth:refresh",
    "accountRules:set",
    "accountSettings:detach",
    "accountSettings:pauseSending",
    "accountSettings:reattach",
    "accountSettings:register",
    "accountSettings:rename",
    "accountSettings:resumeSending",
    "accountSettings:rotateAccessToken",
    "accountSettings:rotateAppSecret",
    "accountSettings:rotateVerifyToken",
    "accountSettings:subscribe",
    "audit:list",
    "audit:verify",
    "exports:links",
    "exports:start",
    "invites:create",
    "invites:list",
    "invites:revoke",
    "keys:setConfirmation",
    "members:changeRole",
    "members:remove",
    "webhookItems:listDeadItems",
    "webhookItems:reapply",
  ],
  owner: ["accountSettings:remove", "jobs:cancel", "jobs:eraseContact", "members:transfer"],
};

describe("the tenant matrix", () => {
  beforeAll(openTenants);
  afterAll(closeApp);

  it.each(PUBLIC)("$name", async (fn) => {
    const row = DOOR_ROWS.get(fn.name);
    if (row === undefined || fn.door === undefined) throw new Error(`${fn.name} has no row or no door.`);
    const before = await digest();
    const wrong: string[] = [];
    for (const visitor of visitors) {
      if (typeof visitor.as === "object") await setRole(visitor.as.insider);
      const answers = new Map<string, Answer>();
      for (const subject of subjectsOf(fn.door, partsOf(row))) {
        const wanted = expected(fn, fn.door, visitor, subject);
        // What an action does stays done; those that are let in have worlds of their own below.
        if (wanted === null || (wanted === "answer" && fn.type === "action")) continue;
        const call = wanted === "answer" ? knockAndRollBack : knock;
        const answer = await call(fn, visitor, row(subject.world));
        const cell = `${visitor.name} x ${subject.name}: ${answer.code} not ${wanted}`;
        answers.set(subject.name, answer);
        if (subject.is === "malformed" && MALFORMED.includes(answer.code)) continue;
        if (wanted === "answer" ? GATES.includes(answer.code) : answer.code !== wanted) wrong.push(cell);
        const ofBen = subject.is === "nothing" && /other tenant|another account/.test(visitor.name);
        if (answer.bytes.includes("for ben") && !ofBen) wrong.push(`${cell}: leaks ${answer.bytes}`);
      }
      for (const [name, answer] of answers) {
        const twin = answers.get(name.replace("foreign", "deleted"));
        if (twin !== undefined && twin.bytes !== answer.bytes)
          wrong.push(`${visitor.name} x ${name}: ${answer.bytes} but deleted ${twin.bytes}`);
      }
    }
    await setRole("member");
    expect(wrong).toEqual([]);
    expect(await digest()).toBe(before);
  });

  it.each([
    ["mcp:listConversations", ["send"], "conversations:read"],
    ["mcp:getConversation", ["send", "conversations:read"], "messages:read"],
    ["mcp:listTemplates", ["send", "messages:read"], "templates:read"],
    ["mcpReads:listUnanswered", ["send", "messages:read"], "conversations:read"],
    ["mcpReads:listEvents", ["send", "write", "messages:read", "conversations:read"], "read"],
    ["mcpReads:getMessages", ["send", "conversations:read"], "messages:read"],
    ["mcpReads:searchMessages", ["send", "conversations:read"], "messages:read"],
    ["mcpReads:searchContacts", ["send", "messages:read"], "conversations:read"],
    ["mcpReads:getMessageStatus", ["send", "conversations:read"], "messages:read"],
    ["mcp:updateConversation", ["read", "send"], "write"],
    ["mcp:handoffToHuman", ["read", "send"], "write"],
    ["mcp:getConsent", ["send", "write"], "conversations:read"],
    ["mcp:setConsent", ["read", "send"], "write"],
    ["mcp:sendText", ["read", "write", "messages:write"], "send"],
  ] as const)("%s needs its scope", async (name, scopes, needed) => {
    const fn = PUBLIC.find((row) => row.name === name);
    const args = DOOR_ROWS.get(name)?.(own);
    if (fn === undefined || args === undefined) throw new Error(`There is no ${name}.`);
    const answerTo = async (granted: string[]) => {
      const { id } = await app.addKey(own.accountId, { scopes: granted });
      return await knockAndRollBack(fn, { name: "a key", identity: keyOf(id), as: "key" }, args);
    };
    const refused = await answerTo([...scopes]);
    expect(refused.code).toBe("scope_missing");
    expect(refused.bytes).toContain(needed);
    expect((await answerTo([needed])).code).toBe("answer");
  });
});

describe("an action that lets in who may", () => {
  const letsIn = (door: Door | undefined, role: Role) =>
    door?.kind === "user" || (door?.kind === "member" && can(role, door.permission));
  const cells = PUBLIC.filter(({ type }) => type === "action").flatMap((fn) =>
    ROLES.filter((role) => letsIn(fn.door, role)).map((role) => ({ ...fn, role })),
  );
  beforeEach(async () => {
    app = openApp();
    app.graph.answerAlways(({ method, url }) =>
      method === "GET" ? app.graph.describe(url) : Response.json({ success: true }),
    );
    own = await openWorld(app, "ana", { phoneNumberId: "106540352242922", phoneNumber: "+15550783881" });
  });
  afterEach(closeApp);

  it.each(cells)("$name answers its $role", async (fn) => {
    await setRole(fn.role);
    const visitor: Visitor = { name: fn.role, identity: person("ana"), as: { insider: fn.role } };
    const { code } = await knock(fn, visitor, DOOR_ROWS.get(fn.name)?.(own) ?? {});
    expect(GATES).not.toContain(code);
  });
});

/** Makes the one who asks from within a plain member, an admin or an owner. */
async function setRole(role: Role): Promise<void> {
  await app.backend.run(async (ctx) => {
    const membership = await ctx.db
      .query("accountMembers")
      .withIndex("by_account_user", (q) => q.eq("accountId", own.accountId).eq("userId", "ana"))
      .unique();
    if (membership !== null) await ctx.db.patch(membership._id, { role });
  });
}

/** Three tenants: the one whose doors are tried, another, and one that is gone; and everybody who may knock. */
async function openTenants(): Promise<void> {
  app = openApp();
  own = await openWorld(app, "ana", { phoneNumberId: "106540352242922", phoneNumber: "+15550783881" });
  const weak = await addWeakKeys(app, own);
  const keyOfRemoved = await removeMember(app, own, "rex", "owner-ana");
  foreign = await openWorld(app, "ben", { phoneNumberId: "900", phoneNumber: "+15550001111" });
  // A file that nobody holds yet belongs to whoever has its id, so that of the other tenant is taken over.
  const { accountId, uploadId, storageId } = foreign;
  await app.user("ben").mutation(api.uploads.finish, { accountId, uploadId, storageId });
  gone = await openWorld(app, "tim", { phoneNumberId: "901", phoneNumber: "+15550002222" });
  await removeWorld(app, gone);
  visitors = [
    { name: "anonymous", identity: null, as: "nobody" },
    { name: "a token of no use", identity: { subject: "ana" }, as: "nobody" },
    { name: "a person as the server", identity: { subject: "ana", use: "service" }, as: "nobody" },
    { name: "the server", identity: { subject: "service:next", use: "service" }, as: "service" },
    { name: "a person without account", identity: person("eve"), as: "outsider" },
    { name: "the server as a person", identity: person("service:next"), as: "outsider" },
    { name: "a key as a person", identity: person(own.apiKeyId), as: "outsider" },
    { name: "the other tenant", identity: person("ben"), as: "outsider" },
    { name: "the other tenant's owner", identity: person("owner-ben"), as: "outsider" },
    { name: "a removed member", identity: person("rex"), as: "outsider" },
    ...ROLES.map((role) => ({ name: role, identity: person("ana"), as: { insider: role } })),
    { name: "no key", identity: keyOf("k57nonsense"), as: "dead key" },
    { name: "an account as a key", identity: keyOf(own.accountId), as: "dead key" },
    { name: "a person as a key", identity: keyOf("ana"), as: "dead key" },
    { name: "a deleted key", identity: keyOf(gone.apiKeyId), as: "dead key" },
    { name: "a revoked key", identity: keyOf(weak.revoked), as: "dead key" },
    { name: "an expired key", identity: keyOf(weak.expired), as: "dead key" },
    { name: "the key of a removed member", identity: keyOf(keyOfRemoved), as: "dead key" },
    { name: "the key", identity: keyOf(own.apiKeyId), as: "key" },
    { name: "a key without scope", identity: keyOf(weak.unscoped), as: "key without scope" },
    { name: "a key for other tools", identity: keyOf(weak.narrowed), as: "key for other tools" },
    { name: "a key of another account", identity: keyOf(foreign.apiKeyId), as: "foreign key" },
  ];
}
