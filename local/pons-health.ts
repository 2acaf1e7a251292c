import * as z from "zod";
import { type Backend, runFunction } from "./backend";
import { LocalError } from "./local-error";
import { accountSchema, listAccounts } from "./pons-lookups";
import type { Verb } from "./pons-verbs";

const healthSchema = z.looseObject({
  state: z.string(),
  checks: z.array(
    z.looseObject({ name: z.string(), state: z.string(), say: z.string(), fix: z.string().optional() }),
  ),
});
const reportSchema = z.object({
  accounts: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      phoneNumber: z.string(),
      state: z.string(),
      health: healthSchema.nullable(),
      problem: z.string().optional(),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

/** What mends a failed check, as something to do from here. */
const FIXES: Record<string, string> = {
  rotate_token: "make a new token in Meta's business settings, then `accounts rotate-token`",
  subscribe: "subscribe the app to the account, in the dashboard or with `accounts reattach` after `detach`",
  register: "register the number in Meta's WhatsApp manager or in the dashboard",
  set_app_secret: "compare the app secret with the one in Meta's app settings",
  resume_sending: "resume sending in the dashboard",
  ask_meta: "look into Meta's WhatsApp manager",
  wait: "write less to people who did not ask for it; the rating recovers within a week",
  write_to_number: "write to the number from a phone, and check again",
};

/** The checks of one account, a line each, with what to do below those that need something. */
export function describeHealth(health: unknown): string {
  return healthSchema
    .parse(health)
    .checks.map(({ name, state, say, fix }) => {
      const step = fix === undefined ? "" : `\n  ${FIXES[fix] ?? fix}`;
      return `${state.padEnd(8)} ${name.padEnd(13)} ${say}${step}`;
    })
    .join("\n");
}

/** Looks at the backend and, with Meta, at every account; says for each problem what to do. */
export const doctorVerb: Verb = {
  noun: "doctor",
  verb: "",
  flags: {},
  run: examine,
  print: (result) => describeReport(reportSchema.parse(result)),
};

async function examine(backend: Backend): Promise<Report> {
  const listed = z.array(accountSchema.extend({ state: z.string() })).parse(await listAccounts(backend));
  const accounts: Report["accounts"] = [];
  for (const { id, name, phoneNumber, state } of listed) {
    const about = { id, name, phoneNumber, state };
    // An account that was taken away works as it was meant to: Meta is not asked about it.
    if (state !== "active") accounts.push({ ...about, health: null });
    else accounts.push({ ...about, ...(await lookAt(backend, id)) });
  }
  return { accounts };
}

/** One account that cannot be looked at keeps nobody from hearing about the others. */
async function lookAt(
  backend: Backend,
  accountId: string,
): Promise<Pick<Report["accounts"][number], "health" | "problem">> {
  try {
    return { health: healthSchema.parse(await runFunction(backend, "accountHealth:check", { accountId })) };
  } catch (error) {
    if (error instanceof LocalError) return { health: null, problem: error.message };
    throw error;
  }
}

/** The report for people. */
export function describeReport({ accounts }: Report): string {
  if (accounts.length === 0) {
    return "The backend answers. No number is connected yet: `npm run pons -- accounts add`.";
  }
  const parts = accounts.map(({ name, phoneNumber, state, health, problem }) => {
    const title = `${name} (${phoneNumber}): ${health?.state ?? (problem === undefined ? state : "failed")}`;
    if (health !== null) return `${title}\n${indent(describeHealth(health))}`;
    return problem === undefined
      ? `${title}\n${indent(STATES[state] ?? "")}`.trimEnd()
      : `${title}\n${indent(problem)}`;
  });
  return ["The backend answers.", ...parts].join("\n\n");
}

/** What to do about an account that does not work because of its state. */
const STATES: Record<string, string> = {
  connecting: "It is being connected. If that takes more than some minutes, `accounts reattach` tries again.",
  detached: "Nothing arrives or leaves. `accounts reattach` brings it back.",
  disabled: "The administrator has switched it off.",
  deleting: "It is being deleted with all its data.",
};

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");
