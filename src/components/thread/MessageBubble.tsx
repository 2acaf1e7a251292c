"use client";

import { KeyRoundIcon, ReplyIcon, SmartphoneIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { clockTime, fullTime } from "@/lib/times";
import { cn } from "@/lib/utils";
import { Ticks } from "../inbox/Ticks";
import { Button } from "../ui/button";
import { OfferedChoices } from "./InteractiveParts";
import { MessageContent } from "./MessageContent";
import { MessageTrouble } from "./MessageTrouble";
import { QuotedMessage } from "./QuotedMessage";

interface Props {
  readonly message: Message;
  readonly startsGroup: boolean;
  readonly isLast: boolean;
  readonly customerName: string;
  readonly onReply: (message: Message) => void;
  readonly onShowQuoted: (wamid: string) => void;
}

/** One message, with what belongs to it: who sent it, what it answers, its reactions, its time and its ticks. */
export function MessageBubble({ message, startsGroup, isLast, customerName, onReply, onShowQuoted }: Props) {
  const isOwn = message.direction === "outbound";
  return (
    <article
      className={cn(
        "group flex flex-col",
        isLast ? "pb-4" : "pb-0.5",
        startsGroup && "pt-2",
        isOwn ? "items-end" : "items-start",
      )}
    >
      <div className={cn("flex max-w-[88%] items-center gap-1 sm:max-w-[75%]", isOwn && "flex-row-reverse")}>
        <div
          className={cn(
            "flow-root min-w-0 rounded-xl px-3 py-1.5 text-[0.9375rem] text-bubble-foreground leading-snug shadow-[0_1px_1px_rgb(0_0_0/0.08)]",
            isOwn ? "bg-bubble-out" : "bg-bubble-in",
            message.type === "sticker" && "bg-transparent shadow-none",
            startsGroup && (isOwn ? "rounded-tr-sm" : "rounded-tl-sm"),
          )}
        >
          <Sender message={message} startsGroup={startsGroup} customerName={customerName} />
          {message.replyTo && <QuotedMessage quoted={message.replyTo} onShow={onShowQuoted} />}
          <MessageContent message={message} customerName={customerName} />
          <MessageTime message={message} />
          {isOwn && message.interactive && <OfferedChoices interactive={message.interactive} />}
        </div>
        {message.wamid && <ReplyButton onClick={() => onReply(message)} />}
      </div>
      <Reactions reactions={message.reactions} customerName={customerName} />
      <MessageTrouble message={message} />
    </article>
  );
}

/** Who wrote it. In a conversation of two, the customer's name is only for those who listen. */
function Sender({
  message: { sender },
  startsGroup,
  customerName,
}: Pick<Props, "message" | "startsGroup" | "customerName">) {
  if (sender.kind === "customer") return <span className="sr-only">{customerName}: </span>;
  const name = sender.name ?? (sender.kind === "phone" ? "From the phone" : "Us");
  if (!startsGroup || (sender.kind === "user" && sender.name === undefined))
    return <span className="sr-only">{name}: </span>;
  const Icon = sender.kind === "key" ? KeyRoundIcon : sender.kind === "phone" ? SmartphoneIcon : null;
  return (
    <p className="flex items-center gap-1 font-medium text-primary text-xs">
      {Icon && <Icon className="size-3" aria-hidden="true" />}
      {sender.kind === "key" && <span className="sr-only">API key </span>}
      <bdi dir="auto">{name}</bdi>
    </p>
  );
}

/** Floats into the last line when there is room, as on the phone. */
function MessageTime({ message }: { message: Message }) {
  return (
    <span className="relative top-1 float-right ml-3 flex items-center gap-1 text-[0.6875rem] text-bubble-muted tabular-nums">
      <time dateTime={new Date(message.timestamp).toISOString()} title={fullTime(message.timestamp)}>
        {clockTime(message.timestamp)}
      </time>
      <Ticks status={message.status} />
    </span>
  );
}

function ReplyButton({ onClick }: { onClick: () => void }) {
  return (
    <Button
      variant="ghost"
      size="icon"
      aria-label="Reply to this message"
      onClick={onClick}
      className="size-8 rounded-full text-muted-foreground opacity-0 focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-60"
    >
      <ReplyIcon className="size-4" aria-hidden="true" />
    </Button>
  );
}

function Reactions({ reactions, customerName }: { reactions: Message["reactions"]; customerName: string }) {
  if (reactions.length === 0) return null;
  return (
    <ul aria-label="Reactions" className="-mt-1 flex gap-1 px-2">
      {reactions.map(({ emoji, from }) => (
        <li
          key={from}
          title={from === "customer" ? customerName : "Us"}
          className="rounded-full border bg-background px-1.5 py-0.5 text-sm leading-none"
        >
          {emoji}
          <span className="sr-only"> from {from === "customer" ? customerName : "us"}</span>
        </li>
      ))}
    </ul>
  );
}
