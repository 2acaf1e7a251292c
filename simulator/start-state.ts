import { freshNumberState } from "./business/number-state";
import { SCOPES } from "./login/scopes";
import type { SeededIds } from "./seeded-ids";
import type { AppSubscription, Customer, Template, Token, World } from "./world";

/** Ids of Meta's own documentation, so that its examples can be pasted. */
export const APP_ID = "670843887433847";
export const BUSINESS_ID = "506914307656634";
export const WABA_ID = "102290129340398";
export const PHONE_NUMBER_ID = "106540352242922";
export const ACCESS_TOKEN = "sim-access-token";
/** The system user to whom the start state's token belongs. */
const SYSTEM_USER_ID = "122093847561234567";

/** The world as it is after a start or a reset. */
export function startState(ids: SeededIds, subscription: AppSubscription | null): World {
  return {
    app: { id: APP_ID, name: "Simulated app" },
    business: { id: BUSINESS_ID, name: "Lucky Shrub" },
    users: [
      { id: "10154321987654321", name: "Olivia Owner" },
      { id: "10154321987650042", name: "Marco Manager" },
    ],
    tokens: new Map([[ACCESS_TOKEN, systemToken()]]),
    otherApps: [],
    codes: new Map(),
    uploads: new Map(),
    wabas: [{ id: WABA_ID, name: "Lucky Shrub", subscribed: true, override: null }],
    numbers: [
      {
        id: PHONE_NUMBER_ID,
        wabaId: WABA_ID,
        displayPhoneNumber: "+1 555-078-3881",
        digits: "15550783881",
        countryCode: "1",
        verifiedName: "Lucky Shrub",
        override: null,
        state: {
          ...freshNumberState(),
          status: "CONNECTED",
          codeVerification: "VERIFIED",
          nameStatus: "APPROVED",
          quality: "GREEN",
          tier: "TIER_2K",
          profile: { about: "Plants and advice", vertical: "RETAIL" },
        },
      },
    ],
    customers: [
      person("Sheena Nelson", "+16505551234", { userId: "US.13491208655302741918" }),
      person("Ana Souza", "+5541988887777", { waId: "554188887777", userId: ids.digits("user.BR", 20) }),
      person("Luis Hernández", "+525512345678", { waId: "5215512345678", userId: ids.digits("user.MX", 20) }),
      person("Jonas Weber", "+4915112345678", { userId: ids.digits("user.DE", 20), readReceipts: false }),
      person("Priya Shah", "+447700900123", { userId: ids.digits("user.GB", 20), online: false }),
      person("Noor", "+31612345678", {
        userId: ids.digits("user.NL", 20),
        username: "noor.studio",
        phoneHidden: true,
      }),
    ],
    templates: templates(ids),
    messages: new Map(),
    media: new Map(),
    subscription,
  };
}

/** The token of a system user with every scope, which never expires. */
function systemToken(): Token {
  return {
    token: ACCESS_TOKEN,
    type: "SYSTEM_USER",
    userId: SYSTEM_USER_ID,
    scopes: SCOPES,
    wabaIds: [WABA_ID],
    issuedAt: 0,
    expiresAt: null,
    dataAccessExpiresAt: null,
    state: "valid",
  };
}

/** Somebody on WhatsApp, with the habits of most people unless told otherwise. */
export function person(
  name: string,
  phone: string,
  traits: Partial<Omit<Customer, "name" | "phone" | "lastWroteAt" | "entryPoints">> & { userId: string },
): Customer {
  const country = COUNTRIES.find(([code]) => phone.startsWith(`+${code}`))?.[1] ?? "ZZ";
  return {
    name,
    phone,
    waId: phone.slice(1),
    phoneHidden: false,
    online: true,
    readReceipts: true,
    blocksUs: false,
    optedOut: false,
    persona: null,
    ...traits,
    userId: traits.userId.includes(".") ? traits.userId : `${country}.${traits.userId}`,
    lastWroteAt: new Map(),
    entryPoints: new Map(),
  };
}

/** Dialling codes of the start state; a user id begins with the country. */
const COUNTRIES = [
  ["1", "US"],
  ["55", "BR"],
  ["52", "MX"],
  ["54", "AR"],
  ["49", "DE"],
  ["44", "GB"],
  ["31", "NL"],
] as const;

function templates(ids: SeededIds): Template[] {
  const approved = {
    wabaId: WABA_ID,
    language: "en_US",
    status: "APPROVED",
    parameterFormat: "POSITIONAL",
    quality: "GREEN",
    rejectedReason: "NONE",
    pauses: 0,
    editedAt: null,
  } as const;
  return [
    {
      ...approved,
      id: ids.digits("template", 16),
      name: "hello_world",
      category: "UTILITY",
      components: [
        { type: "HEADER", format: "TEXT", text: "Hello World" },
        { type: "BODY", text: "Welcome. This message shows that the number can send templates." },
        { type: "FOOTER", text: "Sent by the simulator" },
      ],
    },
    {
      ...approved,
      id: ids.digits("template", 16),
      name: "order_update",
      category: "UTILITY",
      components: [
        {
          type: "BODY",
          text: "Hi {{1}}, your order {{2}} is on its way.",
          example: { body_text: [["Sheena", "1042"]] },
        },
        { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Thanks" }] },
      ],
    },
    {
      ...approved,
      id: ids.digits("template", 16),
      name: "spring_offer",
      category: "MARKETING",
      components: [
        { type: "HEADER", format: "IMAGE", example: { header_handle: ["4::aW1hZ2UvcG5n"] } },
        {
          type: "BODY",
          text: "{{1}}, our spring plants are here: {{2}} off.",
          example: { body_text: [["Sheena", "20%"]] },
        },
        {
          type: "BUTTONS",
          buttons: [{ type: "URL", text: "Have a look", url: "https://example.com/spring" }],
        },
      ],
    },
  ];
}
