import { z } from "zod";
import { defined } from "../defined";
import { type Built, buildBody, type Envelope } from "./outbound-body";
import { refusedBy, shortText, webLink } from "./outbound-schema";

/** Meta: "Contacts messages". */
export const CONTACTS_MAX = 257;
/** No limit is documented for the texts of a place or a card; a field of a phone's address book holds no more. */
export const CARD_TEXT_CHARACTERS_MAX = 1000;

const text = shortText(CARD_TEXT_CHARACTERS_MAX);

/** A place. Meta: "Location messages"; the ranges are those of the coordinates themselves. */
export const locationInput = z.strictObject({
  latitude: z.number().min(-90, "Latitudes go from -90 to 90.").max(90, "Latitudes go from -90 to 90."),
  longitude: z
    .number()
    .min(-180, "Longitudes go from -180 to 180.")
    .max(180, "Longitudes go from -180 to 180."),
  name: text.optional(),
  address: text.optional(),
});
export type LocationInput = z.input<typeof locationInput>;

const addressType = z.enum(["HOME", "WORK"]);

/** One card of an address book, in Meta's own field names. */
const contactInput = z.strictObject({
  name: z
    .strictObject({
      formatted_name: text,
      first_name: text.optional(),
      last_name: text.optional(),
      middle_name: text.optional(),
      prefix: text.optional(),
      suffix: text.optional(),
    })
    .refine(
      ({ formatted_name: _, ...parts }) => Object.values(parts).some((part) => part !== undefined),
      "Beside the whole name at least one part of it is needed, such as the first name.",
    ),
  birthday: z.iso.date("Give the birthday as YYYY-MM-DD.").optional(),
  org: z
    .strictObject({ company: text.optional(), department: text.optional(), title: text.optional() })
    .optional(),
  phones: z
    .array(
      z.strictObject({
        phone: text,
        type: z.enum(["CELL", "MAIN", "IPHONE", "HOME", "WORK"]).optional(),
        wa_id: z
          .string()
          .regex(/^\d{5,20}$/, "A WhatsApp id is digits only.")
          .optional(),
      }),
    )
    .optional(),
  emails: z.array(z.strictObject({ email: text, type: addressType.optional() })).optional(),
  urls: z.array(z.strictObject({ url: webLink, type: addressType.optional() })).optional(),
  addresses: z
    .array(
      z.strictObject({
        street: text.optional(),
        city: text.optional(),
        state: text.optional(),
        zip: text.optional(),
        country: text.optional(),
        country_code: z
          .string()
          .regex(/^[A-Za-z]{2}$/, "A country code has two letters.")
          .optional(),
        type: addressType.optional(),
      }),
    )
    .optional(),
});

export const contactsInput = z
  .array(contactInput)
  .min(1, "At least one contact is needed.")
  .max(CONTACTS_MAX, `At most ${CONTACTS_MAX} contacts are allowed.`);
export type ContactsInput = z.input<typeof contactsInput>;

/** A place on the map. */
export function buildLocation(envelope: Envelope, input: LocationInput): Built {
  const parsed = locationInput.safeParse(input);
  return parsed.success ? buildBody(envelope, "location", defined(parsed.data)) : refusedBy(parsed.error);
}

/** One or more cards of an address book. */
export function buildContacts(envelope: Envelope, input: ContactsInput): Built {
  const parsed = z.object({ contacts: contactsInput }).safeParse({ contacts: input });
  return parsed.success ? buildBody(envelope, "contacts", parsed.data.contacts) : refusedBy(parsed.error);
}
