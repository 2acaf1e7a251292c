import { v } from "convex/values";

/**
 * What can be sent, as the doors take it. Names of fields inside an interactive message, a place and a card are those
 * of `shared/whatsapp/outbound-*`, whose schemas check lengths and counts; a type test ties the two together.
 */

export const sendableMedia = v.union(
  v.literal("image"),
  v.literal("video"),
  v.literal("audio"),
  v.literal("document"),
  v.literal("sticker"),
);

/** A file that Meta has (by its id), or one at a public address from which Meta fetches it. */
const mediaFile = v.union(v.object({ id: v.string() }), v.object({ link: v.string() }));

/** The same, or a file that was uploaded here. */
const headerFile = v.union(mediaFile, v.object({ uploadId: v.string() }));

const textHeader = v.object({ type: v.literal("text"), text: v.string() });
const header = v.union(
  textHeader,
  v.object({ type: v.literal("image"), image: headerFile }),
  v.object({ type: v.literal("video"), video: headerFile }),
  v.object({ type: v.literal("document"), document: headerFile, filename: v.optional(v.string()) }),
);
const common = { header: v.optional(header), body: v.string(), footer: v.optional(v.string()) };

export const interactiveContent = v.union(
  v.object({
    type: v.literal("button"),
    ...common,
    buttons: v.array(v.object({ id: v.string(), title: v.string() })),
  }),
  v.object({
    type: v.literal("list"),
    ...common,
    header: v.optional(textHeader),
    button: v.string(),
    sections: v.array(
      v.object({
        title: v.optional(v.string()),
        rows: v.array(v.object({ id: v.string(), title: v.string(), description: v.optional(v.string()) })),
      }),
    ),
  }),
  v.object({ type: v.literal("cta_url"), ...common, display_text: v.string(), url: v.string() }),
  v.object({ type: v.literal("location_request_message"), body: v.string() }),
  v.object({
    type: v.literal("flow"),
    ...common,
    flow_id: v.string(),
    flow_cta: v.string(),
    flow_token: v.optional(v.string()),
    mode: v.optional(v.union(v.literal("draft"), v.literal("published"))),
    screen: v.optional(v.string()),
    /** A JSON object as text: what the first screen is given may have any shape. */
    data: v.optional(v.string()),
  }),
);

export const locationContent = v.object({
  latitude: v.number(),
  longitude: v.number(),
  name: v.optional(v.string()),
  address: v.optional(v.string()),
});

const place = v.optional(v.union(v.literal("HOME"), v.literal("WORK")));
const text = v.optional(v.string());

export const contactsContent = v.array(
  v.object({
    name: v.object({
      formatted_name: v.string(),
      first_name: text,
      last_name: text,
      middle_name: text,
      prefix: text,
      suffix: text,
    }),
    birthday: text,
    org: v.optional(v.object({ company: text, department: text, title: text })),
    phones: v.optional(
      v.array(
        v.object({
          phone: v.string(),
          type: v.optional(
            v.union(
              v.literal("CELL"),
              v.literal("MAIN"),
              v.literal("IPHONE"),
              v.literal("HOME"),
              v.literal("WORK"),
            ),
          ),
          wa_id: text,
        }),
      ),
    ),
    emails: v.optional(v.array(v.object({ email: v.string(), type: place }))),
    urls: v.optional(v.array(v.object({ url: v.string(), type: place }))),
    addresses: v.optional(
      v.array(
        v.object({
          street: text,
          city: text,
          state: text,
          zip: text,
          country: text,
          country_code: text,
          type: place,
        }),
      ),
    ),
  }),
);

/** What fills the places of a template; `shared/whatsapp/template-values` says what each part means. */
export const templateParams = v.object({
  header: v.optional(
    v.union(
      v.object({ link: v.string(), filename: v.optional(v.string()) }),
      v.object({ id: v.string(), filename: v.optional(v.string()) }),
      v.object({ latitude: v.number(), longitude: v.number(), name: v.string(), address: v.string() }),
      v.record(v.string(), v.string()),
    ),
  ),
  body: v.optional(v.record(v.string(), v.string())),
  buttons: v.optional(v.record(v.string(), v.string())),
  cards: v.optional(
    v.array(
      v.object({
        header: v.optional(mediaFile),
        body: v.optional(v.record(v.string(), v.string())),
        buttons: v.optional(v.record(v.string(), v.string())),
      }),
    ),
  ),
  offer_expires_at: v.optional(v.number()),
});
