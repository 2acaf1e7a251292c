import type { Infer } from "convex/values";
import type { contactsContent, interactiveContent } from "../tables/sendContent";
import type { Payload } from "./sendBody";

/** What the customer would get, in words, for the person who is asked whether it may be sent. Nothing is left out of texts. */
export function sendWords(payload: Payload): string {
  switch (payload.type) {
    case "text":
      return payload.text;
    case "template":
      return lines(`Template ${payload.name}`, payload.text);
    case "media": {
      const { media, link, filename, caption } = payload;
      return lines(`File (${media})`, filename, link, caption);
    }
    case "interactive":
      return interactiveWords(payload.interactive);
    case "location": {
      const { name, address, latitude, longitude } = payload.location;
      return lines(`Place ${latitude}, ${longitude}`, name, address);
    }
    case "contacts":
      return lines("Contact cards", ...payload.contacts.flatMap(cardWords));
    case "reaction":
      return payload.emoji === "" ? "Takes a reaction back" : `Reaction ${payload.emoji}`;
    default:
      return payload satisfies never;
  }
}

function interactiveWords(interactive: Infer<typeof interactiveContent>): string {
  const { body } = interactive;
  switch (interactive.type) {
    case "button":
      return lines(body, ...interactive.buttons.map(({ title }) => `[${title}]`));
    case "list":
      return lines(
        body,
        ...interactive.sections.flatMap(({ rows }) =>
          rows.map(({ title, description }) => `[${title}] ${description ?? ""}`.trim()),
        ),
      );
    case "cta_url":
      return lines(body, `[${interactive.display_text}] ${interactive.url}`);
    case "flow":
      return lines(body, `[${interactive.flow_cta}]`);
    case "location_request_message":
      return lines(body, "[Asks for the location]");
    default:
      return interactive satisfies never;
  }
}

function cardWords(card: Infer<typeof contactsContent>[number]): (string | undefined)[] {
  const { name, phones = [], emails = [], urls = [] } = card;
  return [
    name.formatted_name,
    ...phones.map(({ phone }) => phone),
    ...emails.map(({ email }) => email),
    ...urls.map(({ url }) => url),
  ];
}

const lines = (...parts: (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join("\n");
