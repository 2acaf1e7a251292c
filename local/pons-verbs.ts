import * as z from "zod";
import type { KeyDirection } from "#shared/scopes";
import { describeAudit, verifyAudit } from "./audit-check";
import { type Backend, runFunction } from "./backend";
import { LocalError } from "./local-error";
import { accountVerbs } from "./pons-accounts";
import { doctorVerb } from "./pons-health";
import { accountId, accountSchema, listAccounts } from "./pons-lookups";

export type Verb = {
  noun: string;
  /** Empty for a command of one word. */
  verb: string;
  /** Name of the one word after the verb, where it takes one. */
  positional?: string;
  flags: Record<string, { required: boolean }>;
  /** @returns what `--json` prints; `siteUrl` is where people find this deployment */
  run(backend: Backend, values: Record<string, string>, siteUrl: string): Promise<unknown>;
  /** The same for people. */
  print(result: unknown): string;
};

const required = { required: true };
const optional = { required: false };

const keySchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  accountId: z.string(),
  revokedAt: z.number().optional(),
  confirmAfter: z.enum(["flagged", "everything", "nothing"]),
  lastUsedAt: z.number().optional(),
  lastUsedFrom: z.string().optional(),
});
type Key = z.infer<typeof keySchema>;
const createdKeySchema = z.looseObject({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
});

/** Each verb is one internal function; the backend decides, this file only speaks. */
export const verbs: readonly Verb[] = [
  {
    noun: "accounts",
    verb: "add",
    flags: {
      name: required,
      "waba-id": required,
      "phone-number-id": required,
      phone: optional,
      "access-token": required,
      "app-secret": optional,
    },
    run: (backend, values) =>
      runFunction(backend, "accountsAdmin:add", {
        name: values["name"],
        wabaId: values["waba-id"],
        phoneNumberId: values["phone-number-id"],
        ...(values["phone"] !== undefined && { phoneNumber: values["phone"] }),
        accessToken: values["access-token"],
        ...(values["app-secret"] !== undefined && { appSecret: values["app-secret"] }),
      }),
    print: (result) => {
      const account = accountSchema.parse(result);
      return `Added ${account.name} (${account.phoneNumber}), id ${account.id}.`;
    },
  },
  {
    noun: "accounts",
    verb: "list",
    flags: {},
    run: listAccounts,
    print: (result) =>
      table(
        z.array(accountSchema).parse(result),
        (account) => [account.id, account.name, account.phoneNumber, account.phoneNumberId],
        "No accounts yet: add one with `npm run pons -- accounts add`.",
      ),
  },
  {
    noun: "keys",
    verb: "create",
    flags: {
      account: optional,
      name: required,
      scopes: required,
      numbers: optional,
      tools: optional,
      direction: optional,
      rpm: optional,
      "daily-cap": optional,
      expires: optional,
      "confirm-after": optional,
    },
    run: createKey,
    print: (result) => {
      const key = createdKeySchema.parse(result);
      return `${key.key}\n\nKey "${key.name}" (${key.scopes.join(", ")}), id ${key.id}. It is shown this once.`;
    },
  },
  {
    noun: "keys",
    verb: "list",
    flags: { account: optional },
    run: async (backend, values) =>
      await runFunction(backend, "keysAdmin:list", {
        accountId: await accountId(backend, values["account"]),
      }),
    print: (result) =>
      table(
        z.array(keySchema).parse(result),
        (key) => [key.id, key.name, key.prefix, key.scopes.join(","), stateOf(key), lastUseOf(key)],
        "No keys yet: make one with `npm run pons -- keys create --name my-agent --scopes read,send`.",
      ),
  },
  {
    noun: "keys",
    verb: "confirm",
    positional: "id",
    flags: { after: required },
    run: (backend, values) =>
      runFunction(backend, "keysAdmin:setConfirmation", {
        apiKeyId: values["id"],
        confirmAfter: confirmAfter("after", values["after"] ?? ""),
      }),
    print: (result) => {
      const { name, confirmAfter: after } = keySchema.parse(result);
      return `"${name}": ${CONFIRM_SENTENCES[after]}`;
    },
  },
  {
    noun: "keys",
    verb: "revoke",
    positional: "id",
    flags: {},
    run: (backend, values) => runFunction(backend, "keysAdmin:revoke", { apiKeyId: values["id"] }),
    print: (result) => `Revoked "${keySchema.parse(result).name}". Its calls are refused from now on.`,
  },
  {
    noun: "audit",
    verb: "verify",
    flags: { account: optional },
    run: verifyChains,
    print: describeAudit,
  },
  {
    noun: "contacts",
    verb: "erase",
    positional: "contact",
    flags: { account: optional },
    run: async (backend, values) =>
      await runFunction(backend, "jobs:eraseByName", {
        accountId: await accountId(backend, values["account"]),
        contact: values["contact"],
      }),
    print: (result) => `The erasure has begun as job ${z.string().parse(result)}.`,
  },
  ...accountVerbs,
  doctorVerb,
];

const stateOf = ({ revokedAt }: Key): string => (revokedAt === undefined ? "active" : "revoked");

function lastUseOf({ lastUsedAt, lastUsedFrom }: Key): string {
  if (lastUsedAt === undefined) return "never used";
  const at = `used ${new Date(lastUsedAt).toISOString().slice(0, 16)}Z`;
  return lastUsedFrom === undefined ? at : `${at} from ${lastUsedFrom}`;
}

/** The chain of one account, or of every account and of the deployment. A broken one ends the command with an error. */
async function verifyChains(backend: Backend, values: Record<string, string>): Promise<unknown> {
  const given = values["account"];
  const chains =
    given === undefined
      ? [
          undefined,
          ...z
            .array(accountSchema)
            .parse(await listAccounts(backend))
            .map(({ id }) => id),
        ]
      : [await accountId(backend, given)];
  const verdicts = [];
  for (const chain of chains) verdicts.push(await verifyAudit(backend, chain));
  if (verdicts.some(({ intact }) => !intact)) throw new LocalError(describeAudit(verdicts));
  return verdicts;
}

async function createKey(backend: Backend, values: Record<string, string>): Promise<unknown> {
  return await runFunction(backend, "keysAdmin:create", {
    accountId: await accountId(backend, values["account"]),
    name: values["name"],
    scopes: list(values["scopes"]),
    ...(values["numbers"] !== undefined && { numbers: list(values["numbers"]) }),
    ...(values["tools"] !== undefined && { tools: list(values["tools"]) }),
    ...(values["direction"] !== undefined && { direction: direction(values["direction"]) }),
    ...(values["rpm"] !== undefined && { rpm: wholeNumber("rpm", values["rpm"]) }),
    ...(values["daily-cap"] !== undefined && { dailyCap: wholeNumber("daily-cap", values["daily-cap"]) }),
    ...(values["expires"] !== undefined && { expiresAt: futureTime(values["expires"]) }),
    ...(values["confirm-after"] !== undefined && {
      confirmAfter: confirmAfter("confirm-after", values["confirm-after"]),
    }),
  });
}

const list = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function direction(text: string): KeyDirection {
  if (text === "inbound" || text === "outbound") return text;
  throw new LocalError(`--direction takes inbound or outbound, not "${text}".`);
}

/** What the key has to read before a person confirms its first send to somebody else. */
const CONFIRM_SENTENCES = {
  flagged: "a person confirms sends to others after it read what speaks to machines.",
  everything: "a person confirms sends to others after it read anything of a customer.",
  nothing: "nobody has to confirm its sends.",
} as const;

function confirmAfter(flag: string, text: string): keyof typeof CONFIRM_SENTENCES {
  if (text === "flagged" || text === "everything" || text === "nothing") return text;
  throw new LocalError(`--${flag} takes flagged, everything or nothing, not "${text}".`);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new LocalError(`--${flag} takes a whole number above 0, not "${text}".`);
  return value;
}

/** `2027-01-31`, a full ISO time, or a number of days as `30d`. */
function futureTime(text: string): number {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const at = days === undefined ? Date.parse(text) : Date.now() + Number(days) * 86_400_000;
  if (Number.isNaN(at))
    throw new LocalError(
      `--expires takes a date such as 2027-01-31 or a number of days such as 30d, not "${text}".`,
    );
  if (at <= Date.now()) throw new LocalError(`--expires lies in the past: ${text}.`);
  return at;
}

function table<Row>(rows: Row[], cells: (row: Row) => string[], empty: string): string {
  if (rows.length === 0) return empty;
  const lines = rows.map(cells);
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
