import type { FunctionReturnType } from "convex/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import type { Refusal } from "#shared/errors";
import type { api } from "../../convex/_generated/api";
import { isoTime, shownText } from "./shapes";

type ConsentView = Exclude<FunctionReturnType<typeof api.mcp.getConsent>, Refusal>;
type Mark = NonNullable<ConsentView["marketing"]>;

/** The newest entries say all that matters now; the whole ledger is in the dashboard. */
const ENTRIES_MAX = 10;

const mark = z.object({ state: z.enum(["granted", "withdrawn"]), source: z.string(), at: z.string() });

/** What the tools about consent answer. */
export const consentShape = z.object({
  contact_id: z.string(),
  marketing: mark.optional().describe("Absent when nothing is known."),
  all: mark.optional(),
  entries: z.array(mark.extend({ category: z.string(), note: z.string().optional() })),
});

export function consentOf({ contactId, marketing, all, entries }: ConsentView): z.infer<typeof consentShape> {
  return {
    contact_id: contactId,
    ...defined({ marketing: marketing && markOf(marketing), all: all && markOf(all) }),
    entries: entries.slice(0, ENTRIES_MAX).map(({ category, note, ...entry }) => ({
      category,
      ...markOf(entry),
      ...defined({ note: note === undefined ? undefined : shownText(note) }),
    })),
  };
}

const markOf = ({ state, source, at }: Mark) => ({ state, source, at: isoTime(at) });
