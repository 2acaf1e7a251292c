/**
 * Templates as Meta's pages create them, one for each kind of component: "Template components", "Media card carousel
 * templates", "Limited-time offer templates", "Coupon code templates", "Authentication templates", "Sending flow
 * templates". The texts are ours.
 */
const handle = { header_handle: ["4::aW1hZ2UvcG5n"] };
const words = { type: "BODY", text: "Your plants are ready to be picked up." };
const withHeader = (name: string, header: object) => ({
  name,
  language: "en_US",
  category: "UTILITY",
  components: [header, words],
});
const mediaHeader = (format: string) => ({ type: "HEADER", format, example: handle });
const card = () => ({
  components: [
    mediaHeader("IMAGE"),
    { type: "BODY", text: "Now {{1}} off for you.", example: { body_text: [["20%"]] } },
    {
      type: "BUTTONS",
      buttons: [
        { type: "QUICK_REPLY", text: "Tell me more" },
        {
          type: "URL",
          text: "Buy",
          url: "https://example.com/plants/{{1}}",
          example: ["https://example.com/plants/aloe"],
        },
      ],
    },
  ],
});

export const DOCUMENTED_TEMPLATES: readonly object[] = [
  {
    name: "all_texts",
    language: "en_US",
    category: "UTILITY",
    parameter_format: "POSITIONAL",
    components: [
      { type: "HEADER", format: "TEXT", text: "Order {{1}}", example: { header_text: ["1042"] } },
      {
        type: "BODY",
        text: "Hi {{1}}, you paid {{2}} on {{3}} for your plants.",
        example: { body_text: [["Sheena", "$12.30", "Monday"]] },
      },
      { type: "FOOTER", text: "Lucky Shrub" },
      {
        type: "BUTTONS",
        buttons: [
          { type: "QUICK_REPLY", text: "Thanks" },
          { type: "QUICK_REPLY", text: "Cancel" },
          {
            type: "URL",
            text: "Track",
            url: "https://example.com/orders/{{1}}",
            example: ["https://example.com/orders/1042"],
          },
          { type: "PHONE_NUMBER", text: "Call", phone_number: "+15550783881" },
        ],
      },
    ],
  },
  {
    name: "by_name",
    language: "en_US",
    category: "UTILITY",
    parameter_format: "NAMED",
    components: [
      {
        type: "BODY",
        text: "Hi {{first_name}}, order {{order_id}} is on its way.",
        example: {
          body_text_named_params: [
            { param_name: "first_name", example: "Sheena" },
            { param_name: "order_id", example: "1042" },
          ],
        },
      },
    ],
  },
  withHeader("with_video", mediaHeader("VIDEO")),
  withHeader("with_document", mediaHeader("DOCUMENT")),
  withHeader("with_place", { type: "HEADER", format: "LOCATION" }),
  {
    name: "coupon",
    language: "en_US",
    category: "MARKETING",
    components: [
      { type: "BODY", text: "A present for you: take it while it lasts." },
      { type: "BUTTONS", buttons: [{ type: "COPY_CODE", example: "SPRING20" }] },
    ],
  },
  {
    name: "offer",
    language: "en_US",
    category: "MARKETING",
    components: [
      mediaHeader("IMAGE"),
      { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Ends soon", has_expiration: true } },
      { type: "BODY", text: "Every aloe is cheaper until the end of the week." },
      { type: "BUTTONS", buttons: [{ type: "COPY_CODE", example: "ALOE" }] },
    ],
  },
  {
    name: "cards",
    language: "en_US",
    category: "MARKETING",
    components: [
      { type: "BODY", text: "Hello {{1}}, look at these.", example: { body_text: [["Sheena"]] } },
      { type: "CAROUSEL", cards: [card(), card()] },
    ],
  },
  {
    name: "sign_in",
    language: "en_US",
    category: "AUTHENTICATION",
    components: [
      { type: "BODY", add_security_recommendation: true },
      { type: "FOOTER", code_expiration_minutes: 5 },
      { type: "BUTTONS", buttons: [{ type: "OTP", otp_type: "COPY_CODE", text: "Copy code" }] },
    ],
  },
  {
    name: "opens_flow",
    language: "en_US",
    category: "UTILITY",
    components: [
      { type: "BODY", text: "Please book a time." },
      { type: "BUTTONS", buttons: [{ type: "FLOW", text: "Book", flow_id: "1", navigate_screen: "START" }] },
    ],
  },
];
