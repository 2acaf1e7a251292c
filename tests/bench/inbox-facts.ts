import * as z from "zod";
import { type HttpLoad, openHttpLoad } from "./http-load";

/** What a member's dashboard can see. */
export type InboxFacts = {
  /** Messages that the member can see and has not read, over all accounts: every one that was ingested. */
  visibleMessages(): Promise<number>;
  conversations(): Promise<{ accountId: string; conversationId: string }[]>;
  close(): void;
};

const PAGE_ROWS = 100;
const answerSchema = z.object({
  value: z.object({
    page: z.array(z.object({ _id: z.string(), unreadCount: z.number() })),
    isDone: z.boolean(),
    continueCursor: z.string(),
  }),
});
type Row = z.infer<typeof answerSchema>["value"]["page"][number] & { accountId: string };

/** Asks through the member's own door, `conversations:list`. */
export function openInboxFacts(url: string, token: string, accountIds: readonly string[]): InboxFacts {
  const http = openHttpLoad(url, accountIds.length, token);
  const rows = async () => (await Promise.all(accountIds.map((id) => readAll(http, id)))).flat();
  return {
    visibleMessages: async () => (await rows()).reduce((sum, { unreadCount }) => sum + unreadCount, 0),
    conversations: async () => {
      return (await rows()).map(({ _id, accountId }) => ({ accountId, conversationId: _id }));
    },
    close: () => http.close(),
  };
}

async function readAll(http: HttpLoad, accountId: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = null, done = false; !done; ) {
    const args = { accountId, paginationOpts: { numItems: PAGE_ROWS, cursor } };
    const { value } = answerSchema.parse(JSON.parse(await http.ask("query", "conversations:list", args)));
    rows.push(...value.page.map((row) => ({ ...row, accountId })));
    cursor = value.continueCursor;
    done = value.isDone;
  }
  return rows;
}
