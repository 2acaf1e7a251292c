import { DownloadIcon, FileTextIcon, FileXIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { fileSize } from "@/lib/file-size";
import { typeName } from "@/lib/message-summary";
import { Skeleton } from "../ui/skeleton";

type Media = NonNullable<Message["media"]>;

/** A file of a message: on its way, here, or lost. Each kind keeps its room, so that nothing jumps when it arrives. */
export function MessageMedia({
  type,
  media,
  customerName,
}: {
  type: string;
  media: Media;
  customerName: string;
}) {
  if (media.state === "pending") return <PendingMedia type={type} />;
  if (media.state === "failed" || media.url === undefined) return <LostMedia type={type} />;
  const label = `${fileName(type)} from ${customerName}`;
  switch (type) {
    case "image":
      return (
        <a href={media.url} target="_blank" rel="noopener noreferrer" className="my-1 block">
          {/* biome-ignore lint/performance/noImgElement: a private file of any size; there is nothing to optimise it with */}
          <img
            src={media.url}
            alt={label}
            loading="lazy"
            className="h-60 w-72 max-w-full rounded-lg bg-muted object-cover"
          />
        </a>
      );
    case "sticker":
      // biome-ignore lint/performance/noImgElement: a private file; there is nothing to optimise it with
      return <img src={media.url} alt={label} loading="lazy" className="my-1 size-36 object-contain" />;
    case "video":
      return (
        // biome-ignore lint/a11y/useMediaCaption: customers' videos come without captions
        <video
          src={media.url}
          controls
          preload="metadata"
          aria-label={label}
          className="my-1 h-60 w-72 max-w-full rounded-lg bg-black"
        />
      );
    case "audio":
    case "voice":
      return (
        // biome-ignore lint/a11y/useMediaCaption: customers' recordings come without captions
        <audio
          src={media.url}
          controls
          preload="metadata"
          aria-label={label}
          className="my-1 h-11 w-64 max-w-full"
        />
      );
    default:
      return <DocumentCard media={media} url={media.url} />;
  }
}

/** What a file is called when it has no name of its own. */
const fileName = (type: string): string => typeName(type) ?? "File";

function DocumentCard({ media, url }: { media: Media; url: string }) {
  const facts = [media.mime, media.bytes === undefined ? undefined : fileSize(media.bytes)];
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      download={media.filename ?? ""}
      className="my-1 flex w-72 max-w-full items-center gap-3 rounded-lg bg-foreground/6 p-2.5"
    >
      <FileTextIcon className="size-6 shrink-0 text-bubble-muted" aria-hidden="true" />
      <span className="grid min-w-0 flex-1 grid-cols-1">
        <bdi dir="auto" className="truncate text-sm">
          {media.filename ?? "Document"}
        </bdi>
        <span className="truncate text-bubble-muted text-xs">{facts.filter(Boolean).join(" · ")}</span>
      </span>
      <DownloadIcon className="size-4 shrink-0 text-bubble-muted" aria-hidden="true" />
      <span className="sr-only">Download</span>
    </a>
  );
}

function PendingMedia({ type }: { type: string }) {
  const isTall = type === "image" || type === "video";
  return (
    <div className="relative my-1">
      <Skeleton className={isTall ? "h-60 w-72 max-w-full rounded-lg" : "h-14 w-64 max-w-full rounded-lg"} />
      <p className="absolute inset-0 flex items-center justify-center text-bubble-muted text-sm">
        {fileName(type)} is being fetched
      </p>
    </div>
  );
}

function LostMedia({ type }: { type: string }) {
  return (
    <p className="my-1 flex items-center gap-2 rounded-lg bg-foreground/6 p-2.5 text-bubble-muted text-sm">
      <FileXIcon className="size-5 shrink-0" aria-hidden="true" />
      {fileName(type)} could not be fetched from WhatsApp
    </p>
  );
}
