import {
  ClipboardListIcon,
  ExternalLinkIcon,
  ListIcon,
  type LucideIcon,
  MapPinIcon,
  ReplyIcon,
} from "lucide-react";
import type { Message } from "@/lib/backend";
import { formAnswers } from "@/lib/form-answers";

type Interactive = NonNullable<Message["interactive"]>;

const REPLY_WORDS: Readonly<Record<string, { words: string; Icon: LucideIcon }>> = {
  list_reply: { words: "Chose from the list", Icon: ListIcon },
  nfm_reply: { words: "Filled in a form", Icon: ClipboardListIcon },
};

/** What the customer tapped, chose or filled in. */
export function ChoiceMade({ interactive }: { interactive: Interactive }) {
  const { kind, title, description, id, response } = interactive;
  const { words, Icon } = REPLY_WORDS[kind] ?? { words: "Tapped a button", Icon: ReplyIcon };
  const answers = formAnswers(response);
  const chosen = title ?? (answers.length === 0 ? id : undefined);
  return (
    <div className="grid grid-cols-1 gap-0.5 py-0.5">
      <p className="flex items-center gap-1 text-bubble-muted text-xs">
        <Icon className="size-3.5 shrink-0" aria-hidden="true" />
        {words}
      </p>
      {chosen && (
        <bdi dir="auto" className="font-medium [overflow-wrap:anywhere]">
          {chosen}
        </bdi>
      )}
      {description && (
        <bdi dir="auto" className="text-bubble-muted text-sm [overflow-wrap:anywhere]">
          {description}
        </bdi>
      )}
      {answers.length > 0 && (
        <dl className="mt-1 grid w-72 max-w-full gap-1.5 rounded-lg bg-foreground/6 p-2.5 text-sm">
          {answers.map(({ name, value }) => (
            <div key={name} className="grid">
              <dt className="text-bubble-muted text-xs">{name}</dt>
              <dd dir="auto" className="[overflow-wrap:anywhere]">
                {value}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

const OFFER_ICONS: Readonly<Record<string, LucideIcon>> = {
  button: ReplyIcon,
  list: ListIcon,
  cta_url: ExternalLinkIcon,
  flow: ClipboardListIcon,
};

/** What the customer can tap below a message of ours. Only to look at: here nobody taps for the customer. */
export function OfferedChoices({ interactive: { kind, description } }: { interactive: Interactive }) {
  const isLocation = kind === "location_request_message";
  const choices = isLocation ? ["Send location"] : (description ?? "").split("\n").filter(Boolean);
  if (choices.length === 0) return null;
  const Icon = isLocation ? MapPinIcon : (OFFER_ICONS[kind] ?? ReplyIcon);
  return (
    <div className="-mx-3 -mb-1.5 clear-both pt-2">
      <ul
        aria-label="Choices for the customer"
        className="min-w-56 divide-y divide-foreground/10 border-foreground/10 border-t"
      >
        {choices.map((choice) => (
          <li
            key={choice}
            className="flex items-center justify-center gap-2 px-3 py-2 font-medium text-bubble-link text-sm"
          >
            <Icon className="size-4 shrink-0" aria-hidden="true" />
            <bdi dir="auto" className="min-w-0 truncate">
              {choice}
            </bdi>
          </li>
        ))}
      </ul>
    </div>
  );
}
