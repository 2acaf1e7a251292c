import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp } from "../tests/support/convex-app";
import { TEAM_DOORS, type TeamWorld } from "../tests/support/team-doors";
import { internal } from "./_generated/api";

let app: App;
let world: TeamWorld;
beforeEach(async () => {
  app = openApp();
  const accountId = await app.addAccount();
  await app.join(accountId, "olga", "owner");
  await app.join(accountId, "ada", "admin");
  await app.join(accountId, "max");
  const foreignId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
  await app.join(foreignId, "fred", "owner");
  const { id: apiKeyId } = await app.addKey(accountId);
  const invite = { accountId, email: "guest@x.test", role: "member" as const };
  const { id: inviteId } = await app.backend.action(internal.invites.createByAdmin, invite);
  app.graph.answerAlways(({ method, url }) =>
    method === "GET" ? app.graph.describe(url) : Response.json({ success: true }),
  );
  world = { accountId, apiKeyId, inviteId };
});
afterEach(closeApp);

const PERSON_OF = { member: "max", admin: "ada", owner: "olga" } as const;
const BELOW = { member: undefined, admin: "max", owner: "ada" } as const;

const answerOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "an answer",
    (error: unknown) => (error instanceof Error && "data" in error ? error.data : error),
  );

describe("a door about keys, people and settings", () => {
  it.each(Object.entries(TEAM_DOORS))("%s is closed to whoever is not a person", async (_, { call }) => {
    const visitors = [
      app.backend,
      app.key(world.apiKeyId),
      app.service,
      app.backend.withIdentity({ subject: "olga" }),
    ];
    for (const as of visitors)
      expect(await answerOf(call(as, world))).toMatchObject({ code: "unauthorized" });
  });

  it.each(Object.entries(TEAM_DOORS))(
    "%s does not exist for people of other accounts",
    async (_, { call }) => {
      expect(await answerOf(call(app.user("fred"), world))).toMatchObject({ code: "not_found" });
    },
  );

  it.each(Object.entries(TEAM_DOORS))("%s opens for its role and for none below", async (_, door) => {
    const below = BELOW[door.least];
    if (below !== undefined) {
      const refused = await answerOf(door.call(app.user(below), world));
      expect(["forbidden", "not_found"]).toContain(Object(refused).code);
    }
    expect(await answerOf(door.call(app.user(PERSON_OF[door.least]), world))).toBe("an answer");
  });
});
