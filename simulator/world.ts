import type { MediaType } from "#shared/whatsapp/webhook-types";
import type { ScriptName } from "./handset/scripts";
import { waIdOf } from "./handset/wa-id";

/** The simulated side of the world, as plain data. One app, its businesses, and the people on WhatsApp. */
export interface World {
  readonly app: { readonly id: string; readonly name: string };
  readonly business: { readonly id: string; readonly name: string };
  /** People on Facebook who may let the app in. */
  readonly users: readonly { readonly id: string; readonly name: string }[];
  /** By their text. */
  readonly tokens: Map<string, Token>;
  readonly codes: Map<string, LoginCode>;
  /** Uploads of samples and pictures that have begun. */
  readonly uploads: Map<string, { readonly length: number; readonly type: string; received: number }>;
  readonly wabas: Waba[];
  readonly numbers: BusinessNumber[];
  readonly customers: Customer[];
  readonly templates: Template[];
  readonly messages: Map<string, StoredMessage>;
  readonly media: Map<string, StoredMedia>;
  /** Further apps, each with a secret of its own; `app` is the first. */
  readonly otherApps: OtherApp[];
  /** The app's own callback; null until somebody subscribes. */
  subscription: AppSubscription | null;
}

/** An app beside the first one. What is sent to it is signed with its own secret. */
export interface OtherApp {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
  subscription: AppSubscription | null;
  /** Accounts that it listens to, with its callback of their own or null. */
  readonly wabas: Map<string, Subscription | null>;
}

export interface Token {
  readonly token: string;
  /** The app that it was given to; absent for the first. */
  readonly appId?: string;
  readonly type: "USER" | "SYSTEM_USER";
  readonly userId: string;
  scopes: readonly string[];
  /** Accounts that it was given; others do not exist for it. */
  wabaIds: readonly string[];
  readonly issuedAt: number;
  /** Null for a token that never expires. */
  expiresAt: number | null;
  readonly dataAccessExpiresAt: number | null;
  state: "valid" | "revoked" | "deauthorized";
}

/** What somebody agreed to in the login dialog, until the app exchanges it for a token. */
export interface LoginCode {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly wabaIds: readonly string[];
  /** Null for a code of the Embedded Signup window. */
  readonly redirectUri: string | null;
  readonly expiresAt: number;
  used: boolean;
}

export interface Waba {
  readonly id: string;
  readonly name: string;
  /** Whether the app listens to this account; without it no webhook is sent, as with Meta. */
  subscribed: boolean;
  /** A callback of this account's own, which wins over the app's. */
  override: Subscription | null;
}

export interface Subscription {
  readonly url: string;
  readonly verifyToken: string;
  /** Whether the callback has answered the handshake. */
  verified: boolean;
  /** The secret of the app that it belongs to; absent for the first app. */
  readonly secret?: string;
}

/** The callback of the app, with the fields that it asked for. */
export interface AppSubscription extends Subscription {
  readonly fields: readonly string[];
}

export interface BusinessNumber {
  readonly id: string;
  readonly wabaId: string;
  /** As Meta prints it: `+1 555-078-3881`. */
  readonly displayPhoneNumber: string;
  readonly digits: string;
  /** Put before a recipient that was given without plus. */
  readonly countryCode: string;
  verifiedName: string;
  /** A callback of this number's own, which wins over the account's and the app's. */
  override: Subscription | null;
  readonly state: NumberState;
}

/** What changes about a business number; the words are Meta's. */
export interface NumberState {
  status: "PENDING" | "CONNECTED" | "DISCONNECTED" | "FLAGGED" | "RESTRICTED" | "BANNED";
  codeVerification: "NOT_VERIFIED" | "VERIFIED" | "EXPIRED";
  nameStatus: "PENDING_REVIEW" | "APPROVED" | "DECLINED" | "NONE";
  quality: "GREEN" | "YELLOW" | "RED" | "UNKNOWN";
  tier: "TIER_250" | "TIER_2K" | "TIER_10K" | "TIER_100K" | "TIER_UNLIMITED";
  throughput: "STANDARD" | "HIGH";
  /** Of two-step verification; null until it is set. */
  pin: string | null;
  codeAsked: boolean;
  pinGuesses: number;
  pinLockedUntil: number;
  registeredAt: readonly number[];
  /** While its throughput is upgraded it sends nothing. */
  maintenanceUntil: number;
  username: string | null;
  readonly profile: Record<string, unknown>;
  /** WhatsApp ids of people who cannot write to this number. */
  readonly blocked: Set<string>;
}

export interface Customer {
  name: string;
  /** E.164 with plus, as people dial it. */
  phone: string;
  /** WhatsApp's id, which is not the dialled digits in Brazil, Mexico and Argentina. */
  waId: string;
  /** Business-scoped user id. */
  userId: string;
  username?: string | undefined;
  /** The person shows a username instead of the number: webhooks leave the number out. */
  phoneHidden: boolean;
  online: boolean;
  readReceipts: boolean;
  /** The person has blocked the business: nothing reaches the phone. */
  blocksUs: boolean;
  /** The person wants no marketing (Meta: "User preferences"). */
  optedOut: boolean;
  /** Changes when the person installs WhatsApp anew; absent until then. */
  identityHash?: string;
  /** What the person does by itself. */
  persona: Persona | null;
  /** When the person last wrote, per business number id (ms): opens the 24-hour window. */
  readonly lastWroteAt: Map<string, number>;
  /** When the person came from an advertisement, per business number id, and until when that makes messages free. */
  readonly entryPoints: Map<string, { readonly at: number; freeUntil: number | null }>;
}

export interface Persona {
  readonly script: ScriptName;
  /** From one act to the next, by the virtual clock. */
  readonly latencyMs: number;
  /** What a script that chooses shall choose: an id, a title or a position. */
  readonly choice?: string | null;
  /** How often it has answered. */
  turns: number;
}

export interface Template {
  readonly id: string;
  readonly wabaId: string;
  readonly name: string;
  readonly language: string;
  category: "MARKETING" | "UTILITY" | "AUTHENTICATION";
  status:
    | "PENDING"
    | "APPROVED"
    | "REJECTED"
    | "IN_APPEAL"
    | "PAUSED"
    | "DISABLED"
    | "ARCHIVED"
    | "PENDING_DELETION"
    | "DELETED";
  readonly parameterFormat: "NAMED" | "POSITIONAL";
  components: readonly Readonly<Record<string, unknown>>[];
  quality: "GREEN" | "YELLOW" | "RED" | "UNKNOWN";
  rejectedReason: string;
  /** How often Meta has paused it: the third time disables. */
  pauses: number;
  editedAt: number | null;
}

export type SentStatus = "sent" | "delivered" | "read" | "played" | "failed";

export interface StoredMessage {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly numberId: string;
  /** Digits of the other side, also when nobody on WhatsApp has them. */
  peer: string;
  readonly type: string;
  /** The object under the type's key, as it was sent, or as it was edited since. */
  content: unknown;
  readonly at: number;
  readonly quotes?: string;
  readonly callbackData?: string;
  readonly category: "service" | "marketing" | "utility" | "authentication";
  status: "accepted" | "received" | SentStatus;
  error?: { code: number; title: string };
  /** Free of charge, since the person came from an advertisement. */
  readonly freeEntry?: { readonly conversationId: string; readonly until: number };
  /** The advertisement or post that the person came from with it. */
  readonly referral?: unknown;
  readonly forwarded?: true;
  edited?: true;
  revoked?: true;
}

export interface StoredMedia {
  readonly id: string;
  readonly type: MediaType;
  readonly mimeType: string;
  readonly sha256Hex: string;
  readonly bytes: Buffer;
  readonly expiresAt: number;
  readonly filename?: string;
}

/** A customer by phone (with or without plus), WhatsApp id, user id or @username. */
export function findCustomer(world: World, who: string): Customer | undefined {
  const digits = who.replace(/[\s+()-]/g, "");
  const waId = waIdOf(digits);
  return world.customers.find(
    (customer) =>
      customer.phone === `+${digits}` ||
      customer.waId === digits ||
      customer.waId === waId ||
      customer.userId === who ||
      (customer.username !== undefined && `@${customer.username}` === who),
  );
}
