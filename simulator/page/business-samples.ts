/** Messages of the business to try out, as the body of `POST /{phone-number-id}/messages` without the recipient. */
export const BUSINESS_SAMPLES: readonly (readonly [label: string, message: object])[] = [
  ["Text", text("Hi! *Lucky Shrub* here. How can we help? https://example.com/help")],
  [
    "Reply buttons",
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
  ],
  [
    "List",
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
  ],
  [
    "Link button",
    interactive({
      type: "cta_url",
      body: { text: "See all our spring plants." },
      action: {
        name: "cta_url",
        parameters: { display_text: "Open the shop", url: "https://example.com/spring" },
      },
    }),
  ],
  [
    "Location request",
    interactive({
      type: "location_request_message",
      body: { text: "Where shall we deliver?" },
      action: { name: "send_location" },
    }),
  ],
  [
    "Flow",
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
  ],
  [
    "Carousel",
    interactive({
      type: "carousel",
      body: { text: "Three plants that forgive everything:" },
      action: {
        cards: ["Snake plant", "Pothos", "Aloe"].map((name, index) => ({
          card_index: index,
          type: "cta_url",
          header: { type: "image", image: { link: `https://example.com/${index}.jpg` } },
          body: { text: `*${name}*\nfrom 12.50 USD` },
          action: {
            name: "cta_url",
            parameters: { display_text: "Have a look", url: `https://example.com/${index}` },
          },
        })),
      },
    }),
  ],
  [
    "Location",
    {
      type: "location",
      location: {
        latitude: 37.4847,
        longitude: -122.1484,
        name: "Lucky Shrub",
        address: "1 Hacker Way, Menlo Park",
      },
    },
  ],
  [
    "Contact",
    {
      type: "contacts",
      contacts: [
        {
          name: { formatted_name: "Gus Green", first_name: "Gus" },
          phones: [{ phone: "+16505550100", type: "WORK" }],
          org: { company: "Lucky Shrub" },
        },
      ],
    },
  ],
  [
    "Template: order update",
    {
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
    },
  ],
  [
    "Template: spring offer",
    {
      type: "template",
      template: {
        name: "spring_offer",
        language: { code: "en_US" },
        components: [
          {
            type: "header",
            parameters: [{ type: "image", image: { link: "https://example.com/spring.jpg" } }],
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
    },
  ],
];

export function text(body: string): object {
  return { type: "text", text: { body } };
}

function interactive(content: object): object {
  return { type: "interactive", interactive: content };
}
