import * as z from "zod";
import { defined } from "#shared/defined";
import { CONSENT_CATEGORIES, CONSENT_WORDS } from "#shared/domain/consent-state";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { consentOf, consentShape } from "../consent";
import { defineTool } from "../define-tool";
import { params } from "../params";

const NOTE_CHARS_MAX = 500;

export const setConsent = defineTool({
  name: "set_consent",
  title: "Set consent",
  description:
    "Enters into the ledger that a customer agreed to messages or refused them; nothing is sent. Refusing is always " +
    "possible. Agreeing again after a refusal needs `evidence`: the id of a later message in which the customer says " +
    "so. Marketing is promotion; all is every message.",
  scope: "write",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    category: z.enum(CONSENT_CATEGORIES).describe("What it is about."),
    state: z.enum(CONSENT_WORDS).describe("What the customer said."),
    evidence: params.messageId("customer's message that says so").optional(),
    note: params.word("How it is known.", NOTE_CHARS_MAX).optional(),
  }),
  answer: consentShape,
  run: async ({ caller }, { from, contact, category, state, evidence, note }) => {
    const asked = { contact, category, state, ...defined({ from, evidence, note }) };
    const consent = await mutateAs(caller.identity, api.mcp.setConsent, asked);
    return isRefusal(consent) ? consent : consentOf(consent);
  },
});
