import { getText } from "#shared/whatsapp/json";
import type { Message } from "./api";
import { contentOf } from "./message-text";

/** An emoji on a message, and whether the person of the phone put it there. */
export interface Reaction {
  readonly emoji: string;
  readonly mine: boolean;
}

/** The last reaction of each side on a message; an empty one takes it back. */
export function reactionsOn(target: Message, chat: readonly Message[]): Reaction[] {
  return (["outbound", "inbound"] as const).flatMap((side) => {
    const last = chat.findLast(
      (message) =>
        message.type === "reaction" &&
        message.direction === side &&
        message.status !== "failed" &&
        getText(contentOf(message), "message_id") === target.id,
    );
    const emoji = last === undefined ? undefined : getText(contentOf(last), "emoji");
    return emoji === undefined || emoji === "" ? [] : [{ emoji, mine: side === "inbound" }];
  });
}

/** The emoji that the person of the phone has put on a message, if any. */
export function ownReaction(target: Message, chat: readonly Message[]): string | undefined {
  return reactionsOn(target, chat).find(({ mine }) => mine)?.emoji;
}
