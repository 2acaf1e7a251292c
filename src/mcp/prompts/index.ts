import { dailyDigest } from "./daily-digest";
import type { Prompt } from "./define-prompt";
import { draftReply } from "./draft-reply";
import { triageInbox } from "./triage-inbox";

/** Every prompt, in the order in which clients see them. */
export const PROMPTS: readonly Prompt[] = [triageInbox, draftReply, dailyDigest];
