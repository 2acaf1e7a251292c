import * as z from "zod";
import type { Deployment } from "./deployment";

const message = z.looseObject({
  _id: z.string(),
  accountId: z.string(),
  conversationId: z.string(),
  direction: z.enum(["inbound", "outbound"]),
  type: z.string(),
  text: z.string().optional(),
  wamid: z.string().optional(),
  status: z.string(),
  error: z.looseObject({ code: z.string() }).optional(),
  media: z.looseObject({ state: z.string(), storageId: z.string().optional() }).optional(),
});
export type StoredMessage = z.infer<typeof message>;

const held = z.looseObject({ storageId: z.string(), holders: z.number() });
const file = z.looseObject({ _id: z.string() });
const job = z.looseObject({ state: z.string(), files: z.array(file.partial()).optional() });

const send = z.looseObject({
  _id: z.string(),
  messageId: z.string(),
  state: z.string(),
  reason: z.string().optional(),
});
const status = z.looseObject({ wamid: z.string(), error: z.looseObject({ code: z.number() }).optional() });
const conversation = z.looseObject({ _id: z.string(), accountId: z.string(), contactId: z.string() });
const contact = z.looseObject({ _id: z.string(), accountId: z.string(), phone: z.string().optional() });

const ROWS_PER_PAGE = 1_000;

/** What is stored, read past the product's own doors with the administrator's key, so that they cannot hide it. */
export class Store {
  constructor(readonly deployment: Deployment) {}

  messages = () => this.#rows("messages", message);
  sends = () => this.#rows("outbox", send);
  statuses = () => this.#rows("messageStatuses", status);
  conversations = () => this.#rows("conversations", conversation);
  jobs = () => this.#rows("jobs", job);
  /** Files with their bytes, and the rows that refer to them. */
  files = () => this.#rows("_storage", file);
  heldFiles = () => this.#rows("storedFiles", held);
  contacts = () => this.#rows("contacts", contact);

  async #rows<Row>(table: string, shape: z.ZodType<Row>): Promise<Row[]> {
    const page = z.object({ page: z.array(shape), isDone: z.boolean(), continueCursor: z.string() });
    const rows: Row[] = [];
    for (let cursor: string | null = null, done = false; !done; ) {
      const answer = page.parse(
        await this.#query({ table, order: "asc", paginationOpts: { numItems: ROWS_PER_PAGE, cursor } }),
      );
      rows.push(...answer.page);
      cursor = answer.continueCursor;
      done = answer.isDone;
    }
    return rows;
  }

  async #query(args: object): Promise<unknown> {
    const { url, adminKey } = this.deployment.admin;
    const response = await fetch(`${url}/api/query`, {
      method: "POST",
      headers: { authorization: `Convex ${adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ path: "_system/cli/tableData:default", args: [args], format: "json" }),
    });
    const answer = z.object({ value: z.unknown() }).parse(await response.json());
    return answer.value;
  }
}
