/** What an app may be granted, in the order in which Meta's dialog asks. */
export const SCOPES = [
  "business_management",
  "whatsapp_business_management",
  "whatsapp_business_messaging",
] as const;
export type Scope = (typeof SCOPES)[number];
