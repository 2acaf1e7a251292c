import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { App } from "./convex-app";

/** Anybody who may knock. */
export type Visitor = Pick<App["backend"], "query" | "mutation" | "action">;

/** What the doors below are called about. */
export interface TeamWorld {
  accountId: Id<"accounts">;
  apiKeyId: Id<"apiKeys">;
  inviteId: Id<"accountInvites">;
}

type Role = "member" | "admin" | "owner";

/** Each public function about keys, people and settings of an account: the least role that may, and a call. */
export const TEAM_DOORS: Record<
  string,
  { least: Role; call: (as: Visitor, w: TeamWorld) => Promise<unknown> }
> = {
  "keys:list": { least: "member", call: (as, { accountId }) => as.query(api.keys.list, { accountId }) },
  "keys:create": {
    least: "member",
    call: (as, { accountId }) => as.action(api.keys.create, { accountId, name: "agent", scopes: ["read"] }),
  },
  "keys:rename": {
    least: "admin",
    call: (as, { accountId, apiKeyId }) =>
      as.mutation(api.keys.rename, { accountId, apiKeyId, name: "other" }),
  },
  "keys:rotate": {
    least: "admin",
    call: (as, { accountId, apiKeyId }) => as.action(api.keys.rotate, { accountId, apiKeyId }),
  },
  "keys:usage": {
    least: "admin",
    call: (as, { accountId, apiKeyId }) => as.query(api.keys.usage, { accountId, apiKeyId }),
  },
  "keys:revoke": {
    least: "admin",
    call: (as, { accountId, apiKeyId }) => as.mutation(api.keys.revoke, { accountId, apiKeyId }),
  },
  "members:list": { least: "member", call: (as, { accountId }) => as.query(api.members.list, { accountId }) },
  "members:changeRole": {
    least: "admin",
    call: (as, { accountId }) =>
      as.mutation(api.members.changeRole, { accountId, userId: "max", role: "admin" }),
  },
  "members:remove": {
    least: "admin",
    call: (as, { accountId }) => as.mutation(api.members.remove, { accountId, userId: "max" }),
  },
  "members:leave": {
    least: "member",
    call: (as, { accountId }) => as.mutation(api.members.leave, { accountId }),
  },
  "members:transfer": {
    least: "owner",
    call: (as, { accountId }) => as.mutation(api.members.transfer, { accountId, userId: "max" }),
  },
  "invites:create": {
    least: "admin",
    call: (as, { accountId }) =>
      as.action(api.invites.create, { accountId, email: "new@x.test", role: "member" }),
  },
  "invites:list": { least: "admin", call: (as, { accountId }) => as.query(api.invites.list, { accountId }) },
  "invites:revoke": {
    least: "admin",
    call: (as, { accountId, inviteId }) => as.mutation(api.invites.revoke, { accountId, inviteId }),
  },
  "accountHealth:get": {
    least: "member",
    call: (as, { accountId }) => as.query(api.accountHealth.get, { accountId }),
  },
  "accountHealth:refresh": {
    least: "admin",
    call: (as, { accountId }) => as.action(api.accountHealth.refresh, { accountId }),
  },
  "accountSettings:rename": {
    least: "admin",
    call: (as, { accountId }) => as.mutation(api.accountSettings.rename, { accountId, name: "Other" }),
  },
  "accountSettings:pauseSending": {
    least: "admin",
    call: (as, { accountId }) => as.mutation(api.accountSettings.pauseSending, { accountId }),
  },
  "accountSettings:resumeSending": {
    least: "admin",
    call: (as, { accountId }) => as.mutation(api.accountSettings.resumeSending, { accountId }),
  },
  "accountSettings:rotateAccessToken": {
    least: "admin",
    call: (as, { accountId }) =>
      as.action(api.accountSettings.rotateAccessToken, { accountId, accessToken: "new-token" }),
  },
  "accountSettings:rotateAppSecret": {
    least: "admin",
    call: (as, { accountId }) =>
      as.action(api.accountSettings.rotateAppSecret, { accountId, appSecret: "new-secret" }),
  },
  "accountSettings:rotateVerifyToken": {
    least: "admin",
    call: (as, { accountId }) => as.action(api.accountSettings.rotateVerifyToken, { accountId }),
  },
  "accountSettings:subscribe": {
    least: "admin",
    call: (as, { accountId }) => as.action(api.accountSettings.subscribe, { accountId }),
  },
  "accountSettings:register": {
    least: "admin",
    call: (as, { accountId }) => as.action(api.accountSettings.register, { accountId, pin: "123456" }),
  },
  "accountSettings:detach": {
    least: "admin",
    call: (as, { accountId }) => as.action(api.accountSettings.detach, { accountId }),
  },
  "accountSettings:reattach": {
    least: "admin",
    call: async (as, { accountId }) => {
      await as.action(api.accountSettings.detach, { accountId });
      await as.action(api.accountSettings.reattach, { accountId });
    },
  },
  "accountSettings:remove": {
    least: "owner",
    call: (as, { accountId }) => as.action(api.accountSettings.remove, { accountId }),
  },
};
