import { CircleDashedIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { typeName } from "@/lib/message-summary";
import { ContactCards } from "./ContactCards";
import { ChoiceMade } from "./InteractiveParts";
import { MessageMedia } from "./MessageMedia";
import { MessageText } from "./MessageText";
import { OrderCard } from "./OrderCard";
import { SharedLocation } from "./SharedLocation";

/**
 * The message itself: file, place, cards, order, choice or words, or the notice that there is something that cannot be
 * shown. The choices that a message of ours offers stand below its time, where the bubble puts them.
 */
export function MessageContent({ message, customerName }: { message: Message; customerName: string }) {
  const { location, contacts, order, interactive } = message;
  const reply = message.direction === "inbound" ? interactive : undefined;
  // The words of a tap are those of the button.
  const words = reply === undefined ? (message.text ?? message.caption) : undefined;
  return (
    <>
      {message.media && (
        <MessageMedia type={message.type} media={message.media} customerName={customerName} />
      )}
      {location && <SharedLocation location={location} />}
      {contacts && contacts.length > 0 && <ContactCards cards={contacts} />}
      {order && <OrderCard order={order} />}
      {reply && <ChoiceMade interactive={reply} />}
      {message.unsupportedType && <Unsupported type={message.unsupportedType} />}
      {words && <MessageText text={words} />}
    </>
  );
}

function Unsupported({ type }: { type: string }) {
  return (
    <p className="flex items-center gap-1.5 text-bubble-muted text-sm">
      <CircleDashedIcon className="size-4 shrink-0" aria-hidden="true" />
      {typeName(type) ?? `A message of the type “${type}”`} cannot be shown here
    </p>
  );
}
