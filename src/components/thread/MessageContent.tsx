import { CircleDashedIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { typeName } from "@/lib/message-summary";
import { MessageMedia } from "./MessageMedia";
import { MessageText } from "./MessageText";

/** The message itself: file, words, or the notice that there is something that cannot be shown. */
export function MessageContent({ message, customerName }: { message: Message; customerName: string }) {
  const words = message.text ?? message.caption;
  return (
    <>
      {message.media && (
        <MessageMedia type={message.type} media={message.media} customerName={customerName} />
      )}
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
