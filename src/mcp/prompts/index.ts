import type { Caller } from "../../server/caller";
import { mayUse } from "../rights";
import { closeWindowSoon } from "./close-window-soon";
import { dailyDigest } from "./daily-digest";
import type { Prompt } from "./define-prompt";
import { draftReply } from "./draft-reply";
import { triageInbox } from "./triage-inbox";

/** Every prompt, in the order in which clients see them. */
const PROMPTS: readonly Prompt[] = [triageInbox, draftReply, dailyDigest, closeWindowSoon];

/** The prompts that a caller could follow. */
export const offeredPrompts = (caller: Caller): Prompt[] =>
  PROMPTS.filter(({ scope }) => mayUse(caller, scope));
