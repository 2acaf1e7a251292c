import { isRefusal, refusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { AppError } from "../../server/app-error";
import { queryAs } from "../../server/convex";
import { openCursor, sealCursor } from "../cursors";
import { fittingPage } from "../pages";
import { businessOf, contactOf, messageOf } from "../shapes";
import { jsonContent, type Resource } from "./define-resource";
import { uriOf } from "./uris";

/** Messages of one read, fewer where they are long; `more` says that there are further ones. */
const MESSAGES = 50;

export const accountMessages: Resource = {
  kind: "messages",
  name: "messages",
  title: "Messages of a number",
  description:
    "The newest messages of a business number over all conversations. `next` of the answer is the URI that gives " +
    "what changed since, without a gap. Fields marked untrusted are written by customers.",
  mimeType: "application/json",
  read: async (caller, { ref, since }) => {
    if (ref === undefined) return refusal("not_found");
    const scope = { list: "message events", principal: caller.principal };
    const asked = since === undefined ? {} : { after: placeOf(openCursor(scope, since), ref) };
    const answer = await fittingPage(MESSAGES, async (limit) => {
      const page = await queryAs(caller.identity, api.mcpResources.messages, {
        number: ref,
        limit,
        ...asked,
      });
      if (isRefusal(page)) return page;
      const cursor = sealCursor(scope, `${page.seq} ${ref}`);
      return {
        business: businessOf(page.account),
        messages: page.messages.map(({ conversationId, contact, message }) => ({
          conversation: uriOf("conversation", conversationId),
          contact: contactOf(contact),
          ...messageOf(message, contact),
        })),
        next: `${uriOf("messages", ref)}?since=${cursor}`,
        more: page.more,
      };
    });
    return isRefusal(answer) ? answer : jsonContent(answer);
  },
};

/** The place in the events of this number; a cursor of another number means nothing here. */
function placeOf(cursor: string, number: string): number {
  const [seq = "", of] = cursor.split(" ");
  if (of === number && /^\d{1,15}$/.test(seq)) return Number(seq);
  throw AppError.of("invalid_request", { say: "The cursor is of another number. Read without one." });
}
