import type { Doc } from "../_generated/dataModel";

/** What became of one item of a webhook; the reason is a code. */
export interface ItemOutcome {
  state: Doc<"webhookItems">["state"];
  reason?: string;
}
