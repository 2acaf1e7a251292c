import type { Tool } from "../define-tool";
import { getConsent } from "./get_consent";
import { getConversation } from "./get_conversation";
import { getMedia } from "./get_media";
import { getMessageStatus } from "./get_message_status";
import { getMessages } from "./get_messages";
import { getUsage } from "./get_usage";
import { handoffToHuman } from "./handoff_to_human";
import { listConversations } from "./list_conversations";
import { listEvents } from "./list_events";
import { listTemplates } from "./list_templates";
import { listUnanswered } from "./list_unanswered";
import { markAsRead } from "./mark_as_read";
import { ping } from "./ping";
import { searchContacts } from "./search_contacts";
import { searchMessages } from "./search_messages";
import { sendContacts } from "./send_contacts";
import { sendInteractive } from "./send_interactive";
import { sendLocation } from "./send_location";
import { sendMedia } from "./send_media";
import { sendReaction } from "./send_reaction";
import { sendTemplate } from "./send_template";
import { sendText } from "./send_text";
import { setConsent } from "./set_consent";
import { updateConversation } from "./updateConversation";

/** Every tool, in the order in which clients see them: reading before writing, and what most agents need first. */
export const TOOLS: readonly Tool[] = [
  listConversations,
  listUnanswered,
  getConversation,
  getMessages,
  searchMessages,
  getMedia,
  listTemplates,
  sendText,
  sendTemplate,
  sendMedia,
  sendReaction,
  updateConversation,
  sendInteractive,
  sendLocation,
  sendContacts,
  markAsRead,
  searchContacts,
  getMessageStatus,
  listEvents,
  handoffToHuman,
  getConsent,
  setConsent,
  getUsage,
  ping,
];
