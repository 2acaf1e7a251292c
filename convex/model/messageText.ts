import { phoneDigits } from "#shared/phone";
import type { Doc } from "../_generated/dataModel";

/** Longest text of one message in the search index; beyond it nobody remembers the words they look for. */
const SEARCH_CHARACTERS_MAX = 16_384;

type Searched = Pick<
  Doc<"messages">,
  "text" | "caption" | "media" | "location" | "contacts" | "interactive" | "order" | "referral"
>;

/** Everything of a message that a person might look for, each part on its line; undefined when there is nothing. */
export function searchTextOf(message: Searched): string | undefined {
  const { text, caption, media, location, contacts, interactive, order, referral } = message;
  const parts = [
    text,
    caption,
    media?.filename,
    interactive?.title,
    interactive?.description,
    location?.name,
    location?.address,
    ...(contacts ?? []).flatMap(({ name, company, emails = [], phones }) => {
      return [name, company, ...emails, ...phones, ...phones.map(phoneDigits)];
    }),
    ...(order?.items ?? []).map(({ productId }) => productId),
    referral?.headline,
  ];
  const words = [...new Set(parts.filter((part) => part !== undefined && part !== ""))].join("\n");
  return words === "" ? undefined : words.slice(0, SEARCH_CHARACTERS_MAX);
}
