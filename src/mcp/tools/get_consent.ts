import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { consentOf, consentShape } from "../consent";
import { defineTool } from "../define-tool";
import { params } from "../params";

export const getConsent = defineTool({
  name: "get_consent",
  title: "Get consent",
  description:
    "Says what a customer has agreed to or refused, and how it is known: by their own word, their WhatsApp settings, a " +
    "member or a key. Look here before sending marketing templates.",
  scope: "conversations:read",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ from: params.from, contact: params.contact }),
  answer: consentShape,
  run: async ({ caller }, { from, contact }) => {
    const asked = { contact, ...defined({ from }) };
    const consent = await queryAs(caller.identity, api.mcp.getConsent, asked);
    return isRefusal(consent) ? consent : consentOf(consent);
  },
});
