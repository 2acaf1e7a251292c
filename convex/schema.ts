import { defineSchema } from "convex/server";
import { accountRulesTables } from "./tables/accountRules";
import { accountTables } from "./tables/accounts";
import { apiKeyTables } from "./tables/apiKeys";
import { auditTables } from "./tables/auditLog";
import { authTables } from "./tables/auth";
import { confirmationTables } from "./tables/confirmations";
import { consentTables } from "./tables/consent";
import { contactTables } from "./tables/contacts";
import { conversationTables } from "./tables/conversations";
import { eventTables } from "./tables/events";
import { handoffTables } from "./tables/handoffs";
import { instanceTables } from "./tables/instance";
import { jobTables } from "./tables/jobs";
import { mcpSessionTables } from "./tables/mcpSessions";
import { messageTables } from "./tables/messages";
import { outboxTables } from "./tables/outbox";
import { readMarkTables } from "./tables/readMarks";
import { storedFileTables } from "./tables/storedFiles";
import { suppressionTables } from "./tables/suppressions";
import { templateTables } from "./tables/templates";
import { uploadTables } from "./tables/uploads";
import { webhookTables } from "./tables/webhookLogs";

/** Assembles the tables and does nothing else; each table says who writes and who reads it. */
export default defineSchema({
  ...accountRulesTables,
  ...accountTables,
  ...apiKeyTables,
  ...auditTables,
  ...authTables,
  ...confirmationTables,
  ...consentTables,
  ...contactTables,
  ...conversationTables,
  ...eventTables,
  ...handoffTables,
  ...instanceTables,
  ...jobTables,
  ...mcpSessionTables,
  ...messageTables,
  ...outboxTables,
  ...readMarkTables,
  ...storedFileTables,
  ...suppressionTables,
  ...templateTables,
  ...uploadTables,
  ...webhookTables,
});
