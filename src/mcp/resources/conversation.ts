import { isRefusal, refusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { fittingPage } from "../pages";
import { businessOf, contactOf, messageOf, windowOf } from "../shapes";
import { jsonContent, type Resource } from "./define-resource";

/** Messages of one read; older ones are for get_conversation. */
const MESSAGES = 20;

export const conversation: Resource = {
  kind: "conversation",
  name: "conversation",
  title: "Conversation",
  description:
    "One WhatsApp conversation: the customer, the 24-hour window and the newest messages, oldest of them first. " +
    "Ids are in list_conversations. Fields marked untrusted are written by the customer.",
  mimeType: "application/json",
  read: async (caller, { ref: id }) => {
    if (id === undefined) return refusal("not_found");
    const answer = await fittingPage(MESSAGES, async (limit) => {
      const page = await queryAs(caller.identity, api.mcpResources.conversation, { id, limit });
      if (isRefusal(page)) return page;
      return {
        business: businessOf(page.account),
        contact: contactOf(page.conversation.contact),
        window: windowOf(page.conversation.windowExpiresAt, Date.now()),
        archived: page.conversation.archivedAt !== undefined,
        messages: page.messages.map((view) => messageOf(view, page.conversation.contact)),
        has_older: page.nextCursor !== null,
      };
    });
    return isRefusal(answer) ? answer : jsonContent(answer);
  },
};
