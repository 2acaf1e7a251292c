import type { Tool } from "../define-tool";
import { getConversation } from "./get_conversation";
import { listConversations } from "./list_conversations";
import { sendText } from "./send_text";

/** Every tool, in the order in which clients see them: reading before writing. */
export const TOOLS: readonly Tool[] = [listConversations, getConversation, sendText];
