import type { Message } from "@/lib/backend";

/** The message that this one answers; a click goes there. */
export function QuotedMessage({
  quoted,
  onShow,
}: {
  quoted: NonNullable<Message["replyTo"]>;
  onShow: (wamid: string) => void;
}) {
  return (
    <button
      type="button"
      onClick={() => onShow(quoted.wamid)}
      className="my-1 block w-full cursor-pointer rounded-md border-primary border-l-3 bg-foreground/6 px-2 py-1 text-left text-bubble-muted text-sm"
    >
      <span className="sr-only">In reply to: </span>
      <bdi dir="auto" className="line-clamp-2">
        {quoted.preview ?? "An earlier message"}
      </bdi>
    </button>
  );
}
