/** Whom and what a call is about. */
export type Subject = { contact: string; messageId: string; conversationId: string };

let counter = 0;

/** A text that no other call has, so that none is taken for a repetition. */
const unique = () => `r${++counter}`;

/** A call of each tool about a customer of somebody's. A tool without a row fails the test of the rows. */
export const TOOL_ARGUMENTS: Readonly<Record<string, (about: Subject) => Record<string, unknown>>> = {
  list_conversations: () => ({}),
  list_unanswered: () => ({}),
  get_conversation: ({ contact }) => ({ contact }),
  get_messages: ({ contact }) => ({ contact }),
  search_messages: ({ contact }) => ({ query: `hello in:${contact}` }),
  get_media: ({ messageId }) => ({ message_id: messageId, as: "link" }),
  list_templates: () => ({}),
  send_text: ({ contact }) => ({ contact, text: unique() }),
  send_template: ({ contact }) => ({
    ...{ contact, name: "hello_world", language: "en_US", client_request_id: unique() },
  }),
  send_media: ({ contact }) => ({ contact, url: `https://files.example.com/${unique()}.png` }),
  send_reaction: ({ messageId }) => ({ message_id: messageId, emoji: "👍", client_request_id: unique() }),
  updateConversation: ({ contact }) => ({ contact, archived: false }),
  send_interactive: ({ contact }) => ({ contact, body: unique(), buttons: [{ id: "y", title: "Yes" }] }),
  send_location: ({ contact }) => ({ contact, latitude: 1, longitude: 2, name: unique() }),
  send_contacts: ({ contact }) => ({ contact, contacts: [{ name: unique() }] }),
  mark_as_read: ({ contact }) => ({ contact }),
  search_contacts: ({ contact }) => ({ query: contact }),
  get_message_status: ({ messageId }) => ({ message_id: messageId }),
  list_events: () => ({}),
  handoff_to_human: ({ contact }) => ({ contact, reason: "asked" }),
  get_consent: ({ contact }) => ({ contact }),
  set_consent: ({ contact }) => ({ contact, category: "marketing", state: "withdrawn" }),
  get_usage: () => ({}),
  ping: () => ({}),
};

/** The arguments of a call. Throws for a tool without a row. */
export function toolArguments(tool: string, about: Subject): Record<string, unknown> {
  const row = TOOL_ARGUMENTS[tool];
  if (row === undefined) throw new Error(`${tool} has no row in tool-arguments.ts.`);
  return row(about);
}
