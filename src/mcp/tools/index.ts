import type { Tool } from "../define-tool";
import { getConversation } from "./get_conversation";
import { listConversations } from "./list_conversations";
import { listTemplates } from "./list_templates";
import { listUnanswered } from "./list_unanswered";
import { searchMessages } from "./search_messages";
import { sendMedia } from "./send_media";
import { sendReaction } from "./send_reaction";
import { sendTemplate } from "./send_template";
import { sendText } from "./send_text";
import { updateConversation } from "./updateConversation";

/** Every tool, in the order in which clients see them: reading before writing. */
export const TOOLS: readonly Tool[] = [
  listConversations,
  listUnanswered,
  getConversation,
  searchMessages,
  listTemplates,
  sendText,
  sendTemplate,
  sendMedia,
  sendReaction,
  updateConversation,
];
