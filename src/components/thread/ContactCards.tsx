import type { Message } from "@/lib/backend";
import { formatPhone } from "@/lib/contact-name";
import { ContactAvatar } from "../inbox/ContactAvatar";

type Card = NonNullable<Message["contacts"]>[number];

/** Cards that are open at once; the others open with a click. */
const CARDS_OPEN_MAX = 3;

/** Contact cards that were shared, with everything that can be dialled or written to. */
export function ContactCards({ cards }: { cards: readonly Card[] }) {
  const more = cards.slice(CARDS_OPEN_MAX);
  return (
    <div className="my-1 w-72 max-w-full rounded-lg bg-foreground/6">
      <CardList cards={cards.slice(0, CARDS_OPEN_MAX)} />
      {more.length > 0 && (
        <details className="border-foreground/10 border-t">
          <summary className="cursor-pointer px-2.5 py-2 font-medium text-bubble-link text-sm hover:underline">
            {more.length} more {more.length === 1 ? "contact" : "contacts"}
          </summary>
          <CardList cards={more} />
        </details>
      )}
    </div>
  );
}

function CardList({ cards }: { cards: readonly Card[] }) {
  return (
    <ul aria-label="Contact cards" className="divide-y divide-foreground/10">
      {cards.map((card, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a message's cards never change, and two may be alike
        <li key={index} className="flex gap-3 p-2.5">
          <ContactAvatar name={card.name ?? ""} className="size-10 shrink-0" />
          <CardFacts card={card} />
        </li>
      ))}
    </ul>
  );
}

function CardFacts({ card: { name, company, phones, emails = [] } }: { card: Card }) {
  return (
    <div className="grid min-w-0 flex-1 grid-cols-1 content-center">
      <bdi dir="auto" className="truncate text-left font-medium text-sm">
        {name ?? "Contact without a name"}
      </bdi>
      {company && (
        <bdi dir="auto" className="truncate text-left text-bubble-muted text-xs">
          {company}
        </bdi>
      )}
      {phones.map((phone) => (
        <Reach key={phone} href={telLink(phone)}>
          {formatPhone(phone)}
        </Reach>
      ))}
      {emails.map((email) => (
        <Reach key={email} href={`mailto:${encodeURIComponent(email)}`}>
          {email}
        </Reach>
      ))}
    </div>
  );
}

function Reach({ href, children }: { href: string | undefined; children: string }) {
  const look = "block w-fit max-w-full truncate text-sm leading-6 tabular-nums";
  if (href === undefined) return <bdi className={look}>{children}</bdi>;
  return (
    <a href={href} className={`${look} text-bubble-link hover:underline`}>
      <bdi>{children}</bdi>
    </a>
  );
}

/** Only what a telephone could dial is a link. */
function telLink(phone: string): string | undefined {
  const digits = phone.replace(/[^\d+]/g, "");
  return /^\+?\d{3,}$/.test(digits) ? `tel:${digits}` : undefined;
}
