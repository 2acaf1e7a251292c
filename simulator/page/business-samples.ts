/** A file as messages name it: by its id, or by its address. */
type FileReference = { readonly id: string } | { readonly link: string };

export interface BusinessSample {
  readonly label: string;
  /** The message, with this picture where it has any. */
  readonly message: (picture: FileReference) => object;
  readonly hasPicture?: true;
}

/** Messages of the business to try out, as the body of `POST /{phone-number-id}/messages` without the recipient. */
export const BUSINESS_SAMPLES: readonly BusinessSample[] = [
  { label: "Text", message: () => text("Hi! *Lucky Shrub* here. How can we help? https://example.com/help") },
  {
    label: "Reply buttons",
    message: () =>
      interactive({
        type: "button",
        header: { type: "text", text: "Order 1042" },
        body: { text: "Your succulents are packed. When shall we come by?" },
        footer: { text: "We call before we ring" },
        action: {
          buttons: [
            { type: "reply", reply: { id: "today", title: "Today" } },
            { type: "reply", reply: { id: "tomorrow", title: "Tomorrow" } },
            { type: "reply", reply: { id: "pickup", title: "I pick it up" } },
          ],
        },
      }),
  },
  {
    label: "List",
    message: () =>
      interactive({
        type: "list",
        body: { text: "What is it about?" },
        action: {
          button: "Choose a topic",
          sections: [
            {
              title: "Plants",
              rows: [
                { id: "water", title: "Watering", description: "How much and how often" },
                { id: "light", title: "Light", description: "Where it likes to stand" },
              ],
            },
            { title: "Orders", rows: [{ id: "track", title: "Track my order" }] },
          ],
        },
      }),
  },
  {
    label: "Link button",
    message: () =>
      interactive({
        type: "cta_url",
        body: { text: "See all our spring plants." },
        action: {
          name: "cta_url",
          parameters: { display_text: "Open the shop", url: "https://example.com/spring" },
        },
      }),
  },
  {
    label: "Location request",
    message: () =>
      interactive({
        type: "location_request_message",
        body: { text: "Where shall we deliver?" },
        action: { name: "send_location" },
      }),
  },
  {
    label: "Flow",
    message: () =>
      interactive({
        type: "flow",
        header: { type: "text", text: "Plant check" },
        body: { text: "Book a visit of our gardener." },
        action: {
          name: "flow",
          parameters: {
            flow_message_version: "3",
            flow_id: "1123",
            flow_cta: "Book a visit",
            flow_token: "visit-1",
            mode: "published",
            flow_action: "navigate",
          },
        },
      }),
  },
  {
    label: "Carousel",
    message: (picture) =>
      interactive({
        type: "carousel",
        body: { text: "Three plants that forgive everything:" },
        action: {
          cards: ["Snake plant", "Pothos", "Aloe"].map((name, index) => ({
            card_index: index,
            type: "cta_url",
            header: { type: "image", image: picture },
            body: { text: `*${name}*\nfrom 12.50 USD` },
            action: {
              name: "cta_url",
              parameters: { display_text: "Have a look", url: `https://example.com/${index}` },
            },
          })),
        },
      }),
    hasPicture: true,
  },
  {
    label: "Location",
    message: () => ({
      type: "location",
      location: {
        latitude: 37.4847,
        longitude: -122.1484,
        name: "Lucky Shrub",
        address: "1 Hacker Way, Menlo Park",
      },
    }),
  },
  {
    label: "Contact",
    message: () => ({
      type: "contacts",
      contacts: [
        {
          name: { formatted_name: "Gus Green", first_name: "Gus" },
          phones: [{ phone: "+16505550100", type: "WORK" }],
          org: { company: "Lucky Shrub" },
        },
      ],
    }),
  },
  {
    label: "Template: order update",
    message: () => ({
      type: "template",
      template: {
        name: "order_update",
        language: { code: "en_US" },
        components: [
          {
            type: "body",
            parameters: [
              { type: "text", text: "Sheena" },
              { type: "text", text: "1042" },
            ],
          },
        ],
      },
    }),
  },
  {
    label: "Template: spring offer",
    message: (picture) => ({
      type: "template",
      template: {
        name: "spring_offer",
        language: { code: "en_US" },
        components: [
          {
            type: "header",
            parameters: [{ type: "image", image: picture }],
          },
          {
            type: "body",
            parameters: [
              { type: "text", text: "Sheena" },
              { type: "text", text: "20%" },
            ],
          },
        ],
      },
    }),
    hasPicture: true,
  },
];

export function text(body: string): object {
  return { type: "text", text: { body } };
}

function interactive(content: object): object {
  return { type: "interactive", interactive: content };
}
