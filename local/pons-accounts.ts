import * as z from "zod";
import { runFunction } from "./backend";
import { LocalError } from "./local-error";
import { describeHealth } from "./pons-health";
import { accountById, accountId, accountOfWord } from "./pons-lookups";
import type { Verb } from "./pons-verbs";

const required = { required: true };
const optional = { required: false };

const rotatedSchema = z.looseObject({ id: z.string(), key: z.string(), name: z.string() });
const inviteSchema = z.looseObject({ email: z.string(), role: z.string(), token: z.string() });
const invitedSchema = inviteSchema.extend({ link: z.string() });

/** What is done to an account after it was added, and who else gets in. */
export const accountVerbs: readonly Verb[] = [
  {
    noun: "accounts",
    verb: "check",
    flags: { account: optional },
    run: async (backend, values) =>
      await runFunction(backend, "accountHealth:check", {
        accountId: await accountId(backend, values["account"]),
      }),
    print: describeHealth,
  },
  {
    noun: "accounts",
    verb: "rotate-token",
    flags: { account: optional, "access-token": required },
    run: async (backend, values) => {
      const id = await accountId(backend, values["account"]);
      await runFunction(backend, "accountsAdmin:rotateToken", {
        accountId: id,
        accessToken: values["access-token"],
      });
      return { id, rotated: true };
    },
    print: () => "The new token is in use. Messages that waited for it are on their way.",
  },
  {
    noun: "accounts",
    verb: "detach",
    positional: "account",
    flags: {},
    run: async (backend, values) => {
      const id = await accountOfWord(backend, values["account"]);
      const left = await runFunction(backend, "accountsAdmin:detach", { accountId: id });
      return { id, ...Object(left) };
    },
    print: () =>
      "Detached: nothing arrives or leaves, and the data stays. `accounts reattach` brings it back.",
  },
  {
    noun: "accounts",
    verb: "reattach",
    positional: "account",
    flags: {},
    run: async (backend, values) => {
      const id = await accountOfWord(backend, values["account"]);
      await runFunction(backend, "accountsAdmin:reattach", { accountId: id });
      return { id, reattached: true };
    },
    print: () => "Connected again: WhatsApp sends the account's webhooks here.",
  },
  {
    noun: "accounts",
    verb: "delete",
    positional: "account",
    flags: { confirm: required },
    run: async (backend, values) => {
      const id = await accountOfWord(backend, values["account"]);
      const { name } = await accountById(backend, id);
      if (values["confirm"] !== name) {
        throw new LocalError(
          `This deletes the account "${name}" with every message and file, for ever. To do it, give --confirm "${name}".`,
        );
      }
      const left = await runFunction(backend, "accountsAdmin:remove", { accountId: id });
      return { id, deleting: true, ...Object(left) };
    },
    print: () => "The account is closed, and its data is being deleted in the background.",
  },
  {
    noun: "keys",
    verb: "rotate",
    positional: "id",
    flags: { "grace-hours": optional },
    run: async (backend, values) => {
      const hours = values["grace-hours"];
      return await runFunction(backend, "keysAdmin:rotate", {
        apiKeyId: values["id"],
        ...(hours !== undefined && { graceMs: Math.round(Number(hours) * 3_600_000) }),
      });
    },
    print: (result) => {
      const key = rotatedSchema.parse(result);
      return `${key.key}\n\nThe new secret of "${key.name}". It is shown this once; the old one works a while longer.`;
    },
  },
  {
    noun: "users",
    verb: "invite",
    flags: { account: optional, email: required, role: required },
    run: async (backend, values, siteUrl) => {
      const invite = inviteSchema.parse(
        await runFunction(backend, "invites:createByAdmin", {
          accountId: await accountId(backend, values["account"]),
          email: values["email"],
          role: values["role"],
        }),
      );
      return { ...invite, link: new URL(`/invite/${invite.token}`, siteUrl).href };
    },
    print: (result) => {
      const { email, role, link } = invitedSchema.parse(result);
      return `${link}\n\nSend this link to ${email}, who joins as ${role}. It is shown this once, and works once, for a week.`;
    },
  },
];
