import { asArray, asObject, get, isTooDeep, type JsonObject, rawText } from "./json";
import type { ItemOrigin, OtherReason, WebhookItem } from "./webhook-types";

/** Items read from one delivery. Meta batches at most 1,000 updates; more than this is not its doing. */
export const WEBHOOK_ITEMS_MAX = 5_000;

/** Takes the items of one delivery in the order in which they are read. */
export class Collector {
  readonly items: WebhookItem[] = [];
  omitted = 0;

  add(item: () => WebhookItem): void {
    if (this.items.length < WEBHOOK_ITEMS_MAX) this.items.push(item());
    else this.omitted++;
  }

  other(origin: ItemOrigin, value: unknown, reason: OtherReason): void {
    this.add(() => ({ ...origin, kind: "other", reason, raw: rawText(value) }));
  }

  /** Adds an item read from an object; a value that is no object, or too deep to handle, is kept as `other`. */
  read(
    origin: ItemOrigin,
    value: unknown,
    reader: (object: JsonObject, origin: ItemOrigin) => WebhookItem,
  ): void {
    const object = asObject(value);
    if (object === undefined) this.other(origin, value, "shape");
    else if (isTooDeep(object)) this.other(origin, undefined, "depth");
    else this.add(() => reader(object, origin));
  }
}

/** Goes over the members of a list. A list that came as something else is handed over whole, so that it is kept. */
export function each(
  value: JsonObject,
  key: string,
  origin: ItemOrigin,
  visit: (item: unknown, origin: ItemOrigin) => void,
): void {
  const list = get(value, key);
  if (list === undefined || list === null) return;
  const path = `${origin.path}.${key}`;
  const items = asArray(list);
  if (items === undefined) visit(list, { ...origin, path });
  else for (const [index, item] of items.entries()) visit(item, { ...origin, path: `${path}[${index}]` });
}
