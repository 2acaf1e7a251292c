import * as z from "zod";
import { type Backend, runFunction } from "./backend";

const placeSchema = z.object({ seq: z.number(), hash: z.string() });
const checkSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("more"), checked: z.number(), next: placeSchema }),
  z.object({ state: z.literal("intact"), checked: z.number(), first: z.number(), last: placeSchema }),
  z.object({ state: z.literal("broken"), checked: z.number(), seq: z.number(), problem: z.string() }),
]);

const verdictSchema = z.object({
  chain: z.string(),
  lines: z.number(),
  intact: z.boolean(),
  first: z.number().optional(),
  last: placeSchema.optional(),
  brokenAt: z.number().optional(),
  problem: z.string().optional(),
});
type Verdict = z.infer<typeof verdictSchema>;

/**
 * Walks the audit log of an account, or that of the deployment, and says whether every line is as it was written. Keep the
 * last hash somewhere else: who can change the whole database can also write a new chain.
 */
export async function verifyAudit(backend: Backend, accountId: string | undefined): Promise<Verdict> {
  const chain = accountId ?? "deployment";
  const about = accountId === undefined ? {} : { accountId };
  let after: z.infer<typeof placeSchema> | undefined;
  let lines = 0;
  for (;;) {
    const step = checkSchema.parse(
      await runFunction(backend, "audit:verifyChain", { ...about, ...(after !== undefined && { after }) }),
    );
    lines += step.checked;
    switch (step.state) {
      case "more":
        after = step.next;
        continue;
      case "intact":
        return { chain, lines, intact: true, first: step.first, last: step.last };
      case "broken":
        return { chain, lines, intact: false, brokenAt: step.seq, problem: step.problem };
    }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  changed: "was changed after it was written",
  out_of_order: "is missing, or something stands in its place",
  wrong_end: "and what follows is missing, or was added",
};

/** The verdicts as sentences, one line per chain. */
export function describeAudit(result: unknown): string {
  return z.array(verdictSchema).parse(result).map(describe).join("\n");
}

function describe({ chain, lines, intact, last, brokenAt, problem = "" }: Verdict): string {
  if (!intact) return `${chain}: BROKEN. Line ${brokenAt} ${PROBLEMS[problem] ?? "does not fit"}.`;
  return `${chain}: intact, ${lines} lines, last ${last?.seq} ${last?.hash}`;
}
