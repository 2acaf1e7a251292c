import type { Message } from "./backend";

type Location = NonNullable<Message["location"]>;

/** Google's documented address that works in every browser and opens the app on a phone. */
const MAPS_SEARCH = "https://www.google.com/maps/search/?api=1&query=";

/** Where a place can be seen on a map: by its coordinates, else by its words; undefined when it has neither. */
export function mapLink(location: Location): string | undefined {
  const query = coordinates(location) ?? [location.name, location.address].filter(Boolean).join(", ");
  return query === "" ? undefined : MAPS_SEARCH + encodeURIComponent(query);
}

/** Latitude and longitude as people write them; undefined when they are not those of a place on Earth. */
export function coordinates({ latitude, longitude }: Location): string | undefined {
  if (latitude === undefined || longitude === undefined) return undefined;
  const isOnEarth = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return isOnEarth ? `${Number(latitude.toFixed(6))},${Number(longitude.toFixed(6))}` : undefined;
}

/** The address of a place's own page, if it is one of the web; what a customer sends may be anything. */
export function placePage({ url }: Location): { href: string; host: string } | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, href, host } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? { href, host } : undefined;
}
