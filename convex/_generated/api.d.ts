/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type * as accountHealth from "../accountHealth.js";
import type * as accountLink from "../accountLink.js";
import type * as accountRules from "../accountRules.js";
import type * as accountSettings from "../accountSettings.js";
import type * as accounts from "../accounts.js";
import type * as accountsAdmin from "../accountsAdmin.js";
import type * as audit from "../audit.js";
import type * as authStore from "../authStore.js";
import type * as callers from "../callers.js";
import type * as consent from "../consent.js";
import type * as contactDuplicates from "../contactDuplicates.js";
import type * as conversations from "../conversations.js";
import type * as crons from "../crons.js";
import type * as exports from "../exports.js";
import type * as functions from "../functions.js";
import type * as health from "../health.js";
import type * as http from "../http.js";
import type * as ingest from "../ingest.js";
import type * as instance from "../instance.js";
import type * as invites from "../invites.js";
import type * as jobs from "../jobs.js";
import type * as keys from "../keys.js";
import type * as keysAdmin from "../keysAdmin.js";
import type * as mcp from "../mcp.js";
import type * as mcpCalls from "../mcpCalls.js";
import type * as mcpPush from "../mcpPush.js";
import type * as mcpReads from "../mcpReads.js";
import type * as mcpResources from "../mcpResources.js";
import type * as mcpSessions from "../mcpSessions.js";
import type * as media from "../media.js";
import type * as mediaNode from "../mediaNode.js";
import type * as members from "../members.js";
import type * as messages from "../messages.js";
import type * as model_accountActions from "../model/accountActions.js";
import type * as model_accountDiscovery from "../model/accountDiscovery.js";
import type * as model_accountEvents from "../model/accountEvents.js";
import type * as model_accountHealth from "../model/accountHealth.js";
import type * as model_accountImport from "../model/accountImport.js";
import type * as model_accountLink from "../model/accountLink.js";
import type * as model_accountNews from "../model/accountNews.js";
import type * as model_accountRules from "../model/accountRules.js";
import type * as model_accountSetup from "../model/accountSetup.js";
import type * as model_accounts from "../model/accounts.js";
import type * as model_actor from "../model/actor.js";
import type * as model_apiKeys from "../model/apiKeys.js";
import type * as model_audit from "../model/audit.js";
import type * as model_auditReads from "../model/auditReads.js";
import type * as model_authConditions from "../model/authConditions.js";
import type * as model_authStore from "../model/authStore.js";
import type * as model_blocks from "../model/blocks.js";
import type * as model_bodyErasure from "../model/bodyErasure.js";
import type * as model_callerNumbers from "../model/callerNumbers.js";
import type * as model_callerReads from "../model/callerReads.js";
import type * as model_callerSends from "../model/callerSends.js";
import type * as model_callerUsage from "../model/callerUsage.js";
import type * as model_calls from "../model/calls.js";
import type * as model_consent from "../model/consent.js";
import type * as model_consentRecords from "../model/consentRecords.js";
import type * as model_contactDuplicates from "../model/contactDuplicates.js";
import type * as model_contactIdentities from "../model/contactIdentities.js";
import type * as model_contactMerge from "../model/contactMerge.js";
import type * as model_contactName from "../model/contactName.js";
import type * as model_contactSearch from "../model/contactSearch.js";
import type * as model_contacts from "../model/contacts.js";
import type * as model_conversationUpdates from "../model/conversationUpdates.js";
import type * as model_conversations from "../model/conversations.js";
import type * as model_cursor from "../model/cursor.js";
import type * as model_deletion from "../model/deletion.js";
import type * as model_discoveryGrant from "../model/discoveryGrant.js";
import type * as model_dispatch from "../model/dispatch.js";
import type * as model_egressNode from "../model/egressNode.js";
import type * as model_egressPolicyNode from "../model/egressPolicyNode.js";
import type * as model_env from "../model/env.js";
import type * as model_erasure from "../model/erasure.js";
import type * as model_errors from "../model/errors.js";
import type * as model_events from "../model/events.js";
import type * as model_exports from "../model/exports.js";
import type * as model_fieldEvents from "../model/fieldEvents.js";
import type * as model_fileType from "../model/fileType.js";
import type * as model_grants from "../model/grants.js";
import type * as model_graph from "../model/graph.js";
import type * as model_handoffs from "../model/handoffs.js";
import type * as model_identity from "../model/identity.js";
import type * as model_inbound from "../model/inbound.js";
import type * as model_inboundContent from "../model/inboundContent.js";
import type * as model_inboundMessages from "../model/inboundMessages.js";
import type * as model_ingest from "../model/ingest.js";
import type * as model_instance from "../model/instance.js";
import type * as model_invites from "../model/invites.js";
import type * as model_itemOutcome from "../model/itemOutcome.js";
import type * as model_jobRunner from "../model/jobRunner.js";
import type * as model_jobs from "../model/jobs.js";
import type * as model_keyChanges from "../model/keyChanges.js";
import type * as model_keyMint from "../model/keyMint.js";
import type * as model_keyViews from "../model/keyViews.js";
import type * as model_lane from "../model/lane.js";
import type * as model_mcpCalls from "../model/mcpCalls.js";
import type * as model_mcpPush from "../model/mcpPush.js";
import type * as model_mcpResources from "../model/mcpResources.js";
import type * as model_mcpSessions from "../model/mcpSessions.js";
import type * as model_media from "../model/media.js";
import type * as model_mediaDownload from "../model/mediaDownload.js";
import type * as model_mediaLinks from "../model/mediaLinks.js";
import type * as model_memberSends from "../model/memberSends.js";
import type * as model_members from "../model/members.js";
import type * as model_messageErasure from "../model/messageErasure.js";
import type * as model_messageEvents from "../model/messageEvents.js";
import type * as model_messageFeed from "../model/messageFeed.js";
import type * as model_messageJoin from "../model/messageJoin.js";
import type * as model_messageSearch from "../model/messageSearch.js";
import type * as model_messageStatus from "../model/messageStatus.js";
import type * as model_messageText from "../model/messageText.js";
import type * as model_messageTimeline from "../model/messageTimeline.js";
import type * as model_messages from "../model/messages.js";
import type * as model_modes from "../model/modes.js";
import type * as model_outbox from "../model/outbox.js";
import type * as model_outgoingMedia from "../model/outgoingMedia.js";
import type * as model_pace from "../model/pace.js";
import type * as model_page from "../model/page.js";
import type * as model_policy from "../model/policy.js";
import type * as model_principal from "../model/principal.js";
import type * as model_rateLimits from "../model/rateLimits.js";
import type * as model_reactions from "../model/reactions.js";
import type * as model_readDispatch from "../model/readDispatch.js";
import type * as model_readMarks from "../model/readMarks.js";
import type * as model_refused from "../model/refused.js";
import type * as model_retention from "../model/retention.js";
import type * as model_revisions from "../model/revisions.js";
import type * as model_secrets from "../model/secrets.js";
import type * as model_sendBody from "../model/sendBody.js";
import type * as model_sendClaim from "../model/sendClaim.js";
import type * as model_sendContent from "../model/sendContent.js";
import type * as model_sendDecisions from "../model/sendDecisions.js";
import type * as model_sendDraft from "../model/sendDraft.js";
import type * as model_sendMachine from "../model/sendMachine.js";
import type * as model_sendMoves from "../model/sendMoves.js";
import type * as model_sendOutcome from "../model/sendOutcome.js";
import type * as model_sendRequests from "../model/sendRequests.js";
import type * as model_sendSweep from "../model/sendSweep.js";
import type * as model_statuses from "../model/statuses.js";
import type * as model_storedFiles from "../model/storedFiles.js";
import type * as model_suppressions from "../model/suppressions.js";
import type * as model_templateReads from "../model/templateReads.js";
import type * as model_templateRow from "../model/templateRow.js";
import type * as model_templateSync from "../model/templateSync.js";
import type * as model_templates from "../model/templates.js";
import type * as model_unanswered from "../model/unanswered.js";
import type * as model_unansweredReads from "../model/unansweredReads.js";
import type * as model_uploads from "../model/uploads.js";
import type * as model_views from "../model/views.js";
import type * as model_webhookBodies from "../model/webhookBodies.js";
import type * as model_webhookItems from "../model/webhookItems.js";
import type * as model_webhookRoute from "../model/webhookRoute.js";
import type * as model_webhookScope from "../model/webhookScope.js";
import type * as model_webhookSigners from "../model/webhookSigners.js";
import type * as outbox from "../outbox.js";
import type * as readMarks from "../readMarks.js";
import type * as retention from "../retention.js";
import type * as tables_accountRules from "../tables/accountRules.js";
import type * as tables_accounts from "../tables/accounts.js";
import type * as tables_apiKeys from "../tables/apiKeys.js";
import type * as tables_auditLog from "../tables/auditLog.js";
import type * as tables_auth from "../tables/auth.js";
import type * as tables_consent from "../tables/consent.js";
import type * as tables_contacts from "../tables/contacts.js";
import type * as tables_conversations from "../tables/conversations.js";
import type * as tables_events from "../tables/events.js";
import type * as tables_handoffs from "../tables/handoffs.js";
import type * as tables_instance from "../tables/instance.js";
import type * as tables_jobs from "../tables/jobs.js";
import type * as tables_mcpSessions from "../tables/mcpSessions.js";
import type * as tables_messages from "../tables/messages.js";
import type * as tables_outbox from "../tables/outbox.js";
import type * as tables_readMarks from "../tables/readMarks.js";
import type * as tables_sendContent from "../tables/sendContent.js";
import type * as tables_storedFiles from "../tables/storedFiles.js";
import type * as tables_suppressions from "../tables/suppressions.js";
import type * as tables_templates from "../tables/templates.js";
import type * as tables_uploads from "../tables/uploads.js";
import type * as tables_webhookLogs from "../tables/webhookLogs.js";
import type * as templates from "../templates.js";
import type * as uploads from "../uploads.js";
import type * as uploadsNode from "../uploadsNode.js";
import type * as webhook from "../webhook.js";
import type * as webhookItems from "../webhookItems.js";

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";

declare const fullApi: ApiFromModules<{
  accountHealth: typeof accountHealth;
  accountLink: typeof accountLink;
  accountRules: typeof accountRules;
  accountSettings: typeof accountSettings;
  accounts: typeof accounts;
  accountsAdmin: typeof accountsAdmin;
  audit: typeof audit;
  authStore: typeof authStore;
  callers: typeof callers;
  consent: typeof consent;
  contactDuplicates: typeof contactDuplicates;
  conversations: typeof conversations;
  crons: typeof crons;
  exports: typeof exports;
  functions: typeof functions;
  health: typeof health;
  http: typeof http;
  ingest: typeof ingest;
  instance: typeof instance;
  invites: typeof invites;
  jobs: typeof jobs;
  keys: typeof keys;
  keysAdmin: typeof keysAdmin;
  mcp: typeof mcp;
  mcpCalls: typeof mcpCalls;
  mcpPush: typeof mcpPush;
  mcpReads: typeof mcpReads;
  mcpResources: typeof mcpResources;
  mcpSessions: typeof mcpSessions;
  media: typeof media;
  mediaNode: typeof mediaNode;
  members: typeof members;
  messages: typeof messages;
  "model/accountActions": typeof model_accountActions;
  "model/accountDiscovery": typeof model_accountDiscovery;
  "model/accountEvents": typeof model_accountEvents;
  "model/accountHealth": typeof model_accountHealth;
  "model/accountImport": typeof model_accountImport;
  "model/accountLink": typeof model_accountLink;
  "model/accountNews": typeof model_accountNews;
  "model/accountRules": typeof model_accountRules;
  "model/accountSetup": typeof model_accountSetup;
  "model/accounts": typeof model_accounts;
  "model/actor": typeof model_actor;
  "model/apiKeys": typeof model_apiKeys;
  "model/audit": typeof model_audit;
  "model/auditReads": typeof model_auditReads;
  "model/authConditions": typeof model_authConditions;
  "model/authStore": typeof model_authStore;
  "model/blocks": typeof model_blocks;
  "model/bodyErasure": typeof model_bodyErasure;
  "model/callerNumbers": typeof model_callerNumbers;
  "model/callerReads": typeof model_callerReads;
  "model/callerSends": typeof model_callerSends;
  "model/callerUsage": typeof model_callerUsage;
  "model/calls": typeof model_calls;
  "model/consent": typeof model_consent;
  "model/consentRecords": typeof model_consentRecords;
  "model/contactDuplicates": typeof model_contactDuplicates;
  "model/contactIdentities": typeof model_contactIdentities;
  "model/contactMerge": typeof model_contactMerge;
  "model/contactName": typeof model_contactName;
  "model/contactSearch": typeof model_contactSearch;
  "model/contacts": typeof model_contacts;
  "model/conversationUpdates": typeof model_conversationUpdates;
  "model/conversations": typeof model_conversations;
  "model/cursor": typeof model_cursor;
  "model/deletion": typeof model_deletion;
  "model/discoveryGrant": typeof model_discoveryGrant;
  "model/dispatch": typeof model_dispatch;
  "model/egressNode": typeof model_egressNode;
  "model/egressPolicyNode": typeof model_egressPolicyNode;
  "model/env": typeof model_env;
  "model/erasure": typeof model_erasure;
  "model/errors": typeof model_errors;
  "model/events": typeof model_events;
  "model/exports": typeof model_exports;
  "model/fieldEvents": typeof model_fieldEvents;
  "model/fileType": typeof model_fileType;
  "model/grants": typeof model_grants;
  "model/graph": typeof model_graph;
  "model/handoffs": typeof model_handoffs;
  "model/identity": typeof model_identity;
  "model/inbound": typeof model_inbound;
  "model/inboundContent": typeof model_inboundContent;
  "model/inboundMessages": typeof model_inboundMessages;
  "model/ingest": typeof model_ingest;
  "model/instance": typeof model_instance;
  "model/invites": typeof model_invites;
  "model/itemOutcome": typeof model_itemOutcome;
  "model/jobRunner": typeof model_jobRunner;
  "model/jobs": typeof model_jobs;
  "model/keyChanges": typeof model_keyChanges;
  "model/keyMint": typeof model_keyMint;
  "model/keyViews": typeof model_keyViews;
  "model/lane": typeof model_lane;
  "model/mcpCalls": typeof model_mcpCalls;
  "model/mcpPush": typeof model_mcpPush;
  "model/mcpResources": typeof model_mcpResources;
  "model/mcpSessions": typeof model_mcpSessions;
  "model/media": typeof model_media;
  "model/mediaDownload": typeof model_mediaDownload;
  "model/mediaLinks": typeof model_mediaLinks;
  "model/memberSends": typeof model_memberSends;
  "model/members": typeof model_members;
  "model/messageErasure": typeof model_messageErasure;
  "model/messageEvents": typeof model_messageEvents;
  "model/messageFeed": typeof model_messageFeed;
  "model/messageJoin": typeof model_messageJoin;
  "model/messageSearch": typeof model_messageSearch;
  "model/messageStatus": typeof model_messageStatus;
  "model/messageText": typeof model_messageText;
  "model/messageTimeline": typeof model_messageTimeline;
  "model/messages": typeof model_messages;
  "model/modes": typeof model_modes;
  "model/outbox": typeof model_outbox;
  "model/outgoingMedia": typeof model_outgoingMedia;
  "model/pace": typeof model_pace;
  "model/page": typeof model_page;
  "model/policy": typeof model_policy;
  "model/principal": typeof model_principal;
  "model/rateLimits": typeof model_rateLimits;
  "model/reactions": typeof model_reactions;
  "model/readDispatch": typeof model_readDispatch;
  "model/readMarks": typeof model_readMarks;
  "model/refused": typeof model_refused;
  "model/retention": typeof model_retention;
  "model/revisions": typeof model_revisions;
  "model/secrets": typeof model_secrets;
  "model/sendBody": typeof model_sendBody;
  "model/sendClaim": typeof model_sendClaim;
  "model/sendContent": typeof model_sendContent;
  "model/sendDecisions": typeof model_sendDecisions;
  "model/sendDraft": typeof model_sendDraft;
  "model/sendMachine": typeof model_sendMachine;
  "model/sendMoves": typeof model_sendMoves;
  "model/sendOutcome": typeof model_sendOutcome;
  "model/sendRequests": typeof model_sendRequests;
  "model/sendSweep": typeof model_sendSweep;
  "model/statuses": typeof model_statuses;
  "model/storedFiles": typeof model_storedFiles;
  "model/suppressions": typeof model_suppressions;
  "model/templateReads": typeof model_templateReads;
  "model/templateRow": typeof model_templateRow;
  "model/templateSync": typeof model_templateSync;
  "model/templates": typeof model_templates;
  "model/unanswered": typeof model_unanswered;
  "model/unansweredReads": typeof model_unansweredReads;
  "model/uploads": typeof model_uploads;
  "model/views": typeof model_views;
  "model/webhookBodies": typeof model_webhookBodies;
  "model/webhookItems": typeof model_webhookItems;
  "model/webhookRoute": typeof model_webhookRoute;
  "model/webhookScope": typeof model_webhookScope;
  "model/webhookSigners": typeof model_webhookSigners;
  outbox: typeof outbox;
  readMarks: typeof readMarks;
  retention: typeof retention;
  "tables/accountRules": typeof tables_accountRules;
  "tables/accounts": typeof tables_accounts;
  "tables/apiKeys": typeof tables_apiKeys;
  "tables/auditLog": typeof tables_auditLog;
  "tables/auth": typeof tables_auth;
  "tables/consent": typeof tables_consent;
  "tables/contacts": typeof tables_contacts;
  "tables/conversations": typeof tables_conversations;
  "tables/events": typeof tables_events;
  "tables/handoffs": typeof tables_handoffs;
  "tables/instance": typeof tables_instance;
  "tables/jobs": typeof tables_jobs;
  "tables/mcpSessions": typeof tables_mcpSessions;
  "tables/messages": typeof tables_messages;
  "tables/outbox": typeof tables_outbox;
  "tables/readMarks": typeof tables_readMarks;
  "tables/sendContent": typeof tables_sendContent;
  "tables/storedFiles": typeof tables_storedFiles;
  "tables/suppressions": typeof tables_suppressions;
  "tables/templates": typeof tables_templates;
  "tables/uploads": typeof tables_uploads;
  "tables/webhookLogs": typeof tables_webhookLogs;
  templates: typeof templates;
  uploads: typeof uploads;
  uploadsNode: typeof uploadsNode;
  webhook: typeof webhook;
  webhookItems: typeof webhookItems;
}>;

/**
 * A utility for referencing Convex functions in your app's public API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;

/**
 * A utility for referencing Convex functions in your app's internal API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = internal.myModule.myFunction;
 * ```
 */
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;

export declare const components: {
  rateLimiter: import("@convex-dev/rate-limiter/_generated/component.js").ComponentApi<"rateLimiter">;
};
