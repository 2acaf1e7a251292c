import { ExternalLinkIcon, MapPinIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { coordinates, mapLink, placePage } from "@/lib/map-link";

type Location = NonNullable<Message["location"]>;

/** A place that was shared. The map is a drawing: a real one would tell a stranger where the customer is. */
export function SharedLocation({ location }: { location: Location }) {
  const { name, address } = location;
  const map = mapLink(location);
  const page = placePage(location);
  return (
    <div className="my-1 w-72 max-w-full overflow-hidden rounded-lg bg-foreground/6">
      <MapSketch />
      <div className="grid grid-cols-1 gap-0.5 p-2.5">
        <bdi dir="auto" className="line-clamp-2 font-medium text-sm [overflow-wrap:anywhere]">
          {name ?? "Location"}
        </bdi>
        <bdi dir="auto" className="line-clamp-3 text-bubble-muted text-xs [overflow-wrap:anywhere]">
          {address ?? (name === undefined ? coordinates(location)?.replace(",", ", ") : undefined)}
        </bdi>
        {map && <OutsideLink href={map}>Open in Google Maps</OutsideLink>}
        {page && <OutsideLink href={page.href}>{page.host}</OutsideLink>}
      </div>
    </div>
  );
}

function OutsideLink({ href, children }: { href: string; children: string }) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className="flex min-h-6 w-fit max-w-full items-center gap-1.5 font-medium text-bubble-link text-sm hover:underline"
    >
      <span className="truncate">{children}</span>
      <ExternalLinkIcon className="size-3.5 shrink-0" aria-hidden="true" />
    </a>
  );
}

function MapSketch() {
  return (
    <div aria-hidden="true" className="relative h-28 bg-map-ground">
      <svg viewBox="0 0 288 112" preserveAspectRatio="xMidYMid slice" className="absolute inset-0 size-full">
        <title>Map</title>
        <path d="M-8 84 C 60 60 92 116 150 92 S 250 76 300 98 V 120 H -8 Z" className="fill-map-water" />
        <path d="M196 -4 h72 v44 h-72 z M18 14 h54 v30 h-54 z" className="fill-map-park" />
        <g className="fill-none stroke-map-road" strokeWidth="7">
          <path d="M-6 58 L 120 46 L 300 62" />
          <path d="M92 -6 L 120 46 L 132 118" />
          <path d="M182 -6 L 176 118" />
        </g>
        <g className="fill-none stroke-map-road" strokeWidth="3.5">
          <path d="M-6 24 L 92 16 L 300 24 M236 -6 L 244 118 M40 -6 L 48 118" />
        </g>
      </svg>
      <MapPinIcon className="-translate-x-1/2 -translate-y-full absolute top-[54%] left-1/2 size-9 fill-destructive text-background drop-shadow" />
    </div>
  );
}
