import { defined } from "../defined";
import type { GraphClient, ReadResult } from "./client";
import { isSuccess } from "./graph-answers";
import { isUserId } from "./identity";
import { asObject, get, getArray, getId, getObject, getWord, type JsonObject } from "./json";

/** A business number as Meta describes it; words such as `quality` are Meta's own. */
export interface NumberInfo {
  readonly id: string;
  /** As Meta displays it, with blanks and dashes. */
  readonly displayPhoneNumber?: string;
  readonly verifiedName?: string;
  readonly quality?: string;
  /** `CONNECTED`, `PENDING`, `BANNED`, ... */
  readonly status?: string;
  readonly nameStatus?: string;
  readonly codeVerification?: string;
  readonly platform?: string;
  readonly mode?: string;
  readonly throughput?: string;
  readonly messagingLimit?: string;
  readonly isPinSet?: boolean;
  readonly username?: string;
  readonly health?: HealthStatus;
  /** Callback of this number, of its account and of the app: the first that is there gets the messages. */
  readonly callbacks: { readonly number?: string; readonly account?: string; readonly app?: string };
}

/** Meta: "Messaging health status": whether sending works, and for each part what is in the way. */
export interface HealthStatus {
  /** `AVAILABLE`, `LIMITED` or `BLOCKED`. */
  readonly canSend: string;
  readonly problems: readonly {
    readonly entity: string;
    readonly id?: string;
    readonly code?: number;
    readonly description?: string;
    readonly solution?: string;
  }[];
}

export interface AccountInfo {
  readonly id: string;
  readonly name?: string;
  readonly currency?: string;
  readonly reviewStatus?: string;
  readonly businessId?: string;
  readonly health?: HealthStatus;
}

/** Numbers of one account; Meta allows 20, verified businesses more. */
const NUMBERS_MAX = 500;
const NUMBER_FIELDS =
  "id,display_phone_number,verified_name,quality_rating,code_verification_status,name_status,status,platform_type,throughput,account_mode,is_pin_enabled,webhook_configuration,health_status,username,whatsapp_business_manager_messaging_limit";
const ACCOUNT_FIELDS = "id,name,currency,account_review_status,owner_business_info,health_status";

const node = (id: string, edge = "") => `/${encodeURIComponent(id)}${edge}`;

/** The account itself: its name, its review, whether it may send. */
export async function getAccount(client: GraphClient, wabaId: string): Promise<ReadResult<AccountInfo>> {
  return mapResult(await client.get(node(wabaId), { fields: ACCOUNT_FIELDS }), (json) => {
    const id = getId(json, "id");
    if (id === undefined) return undefined;
    return {
      id,
      ...defined({
        name: getWord(json, "name"),
        currency: getWord(json, "currency"),
        reviewStatus: getWord(json, "account_review_status"),
        businessId: getId(getObject(json, "owner_business_info"), "id"),
        health: readHealth(getObject(json, "health_status")),
      }),
    };
  });
}

/** All numbers of an account. */
export async function listNumbers(
  client: GraphClient,
  wabaId: string,
): Promise<ReadResult<readonly NumberInfo[]>> {
  const rows = await client.list(node(wabaId, "/phone_numbers"), { fields: NUMBER_FIELDS }, NUMBERS_MAX);
  return mapResult(rows, (list) => list.rows.flatMap((row) => readNumber(asObject(row)) ?? []));
}

export async function getNumberInfo(
  client: GraphClient,
  phoneNumberId: string,
): Promise<ReadResult<NumberInfo>> {
  return mapResult(await client.get(node(phoneNumberId), { fields: NUMBER_FIELDS }), readNumber);
}

/** Asks Meta to send a code to the number, by `SMS` or `VOICE`, in a language such as `en_US`. */
export const requestCode = (
  client: GraphClient,
  phoneNumberId: string,
  method: "SMS" | "VOICE",
  language: string,
) => succeed(client.change("POST", node(phoneNumberId, "/request_code"), { code_method: method, language }));

export const verifyCode = (client: GraphClient, phoneNumberId: string, code: string) =>
  succeed(client.change("POST", node(phoneNumberId, "/verify_code"), { code }));

/** Makes a number usable with the Cloud API. The six digits become its two-step PIN, or must be the one it has. */
export const registerNumber = (client: GraphClient, phoneNumberId: string, pin: string) =>
  succeed(client.change("POST", node(phoneNumberId, "/register"), { messaging_product: "whatsapp", pin }));

export const deregisterNumber = (client: GraphClient, phoneNumberId: string) =>
  succeed(client.change("POST", node(phoneNumberId, "/deregister"), {}));

/**
 * Subscribes the app of the token to the webhooks of an account. With an override Meta calls that address at once with
 * the verify token and refuses when it does not answer the challenge; without one, an earlier override is removed.
 */
export const subscribeApp = (
  client: GraphClient,
  wabaId: string,
  override?: { readonly callbackUrl: string; readonly verifyToken: string },
) =>
  succeed(
    client.change(
      "POST",
      node(wabaId, "/subscribed_apps"),
      override && { override_callback_uri: override.callbackUrl, verify_token: override.verifyToken },
    ),
  );

export const unsubscribeApp = (client: GraphClient, wabaId: string) =>
  succeed(client.change("DELETE", node(wabaId, "/subscribed_apps")));

/** The apps that get the webhooks of an account. A missing one is the most frequent reason for "no messages". */
export async function listSubscribedApps(
  client: GraphClient,
  wabaId: string,
): Promise<ReadResult<readonly { id: string; name?: string; callbackUrl?: string }[]>> {
  return mapResult(await client.get(node(wabaId, "/subscribed_apps")), (json) =>
    getArray(json, "data")?.flatMap((row) => {
      const app = getObject(asObject(row), "whatsapp_business_api_data");
      const id = getId(app, "id");
      const callbackUrl = getWord(asObject(row), "override_callback_uri");
      return id === undefined ? [] : [{ id, ...defined({ name: getWord(app, "name"), callbackUrl }) }];
    }),
  );
}

/** Callback of one number alone; null takes it back. */
export const overrideNumberCallback = (
  client: GraphClient,
  phoneNumberId: string,
  override: { readonly callbackUrl: string; readonly verifyToken: string } | null,
) =>
  succeed(
    client.change("POST", node(phoneNumberId), {
      webhook_configuration: {
        override_callback_uri: override?.callbackUrl ?? "",
        ...defined({ verify_token: override?.verifyToken }),
      },
    }),
  );

/** Blocks people, or takes it back. Meta allows it within 24 hours of their last message. */
export async function changeBlocked(
  client: GraphClient,
  phoneNumberId: string,
  change: "block" | "unblock",
  users: readonly string[],
): Promise<ReadResult<{ readonly done: readonly string[]; readonly failed: readonly string[] }>> {
  const method = change === "block" ? "POST" : "DELETE";
  const answer = await client.change(method, node(phoneNumberId, "/block_users"), {
    messaging_product: "whatsapp",
    block_users: users.map((user) => (isUserId(user) ? { user_id: user } : { user })),
  });
  return mapResult(answer, (json) => {
    const lists = getObject(json, "block_users");
    const inputs = (key: string) =>
      (getArray(lists, key) ?? []).flatMap((row) => getWord(asObject(row), "input") ?? []);
    return { done: [...inputs("added_users"), ...inputs("removed_users")], failed: inputs("failed_users") };
  });
}

async function succeed(answer: Promise<ReadResult<JsonObject>>): Promise<ReadResult<true>> {
  return mapResult(await answer, isSuccess);
}

/** The same result with another value; an answer that cannot be read is `unreadable`. */
export function mapResult<T, U>(result: ReadResult<T>, read: (value: T) => U | undefined): ReadResult<U> {
  if (!result.ok) return result;
  const value = read(result.value);
  return value === undefined ? { ok: false, reason: "unreadable" } : { ...result, value };
}

function readNumber(row: JsonObject | undefined): NumberInfo | undefined {
  const id = getId(row, "id");
  if (row === undefined || id === undefined) return undefined;
  const callbacks = getObject(row, "webhook_configuration");
  const isPinSet = get(row, "is_pin_enabled");
  return {
    id,
    callbacks: defined({
      number: getWord(callbacks, "phone_number"),
      account: getWord(callbacks, "whatsapp_business_account"),
      app: getWord(callbacks, "application"),
    }),
    ...defined({
      displayPhoneNumber: getWord(row, "display_phone_number"),
      verifiedName: getWord(row, "verified_name"),
      quality: getWord(row, "quality_rating"),
      status: getWord(row, "status"),
      nameStatus: getWord(row, "name_status"),
      codeVerification: getWord(row, "code_verification_status"),
      platform: getWord(row, "platform_type"),
      mode: getWord(row, "account_mode"),
      throughput: getWord(getObject(row, "throughput"), "level"),
      messagingLimit: getWord(row, "whatsapp_business_manager_messaging_limit"),
      isPinSet: typeof isPinSet === "boolean" ? isPinSet : undefined,
      username: getWord(row, "username"),
      health: readHealth(getObject(row, "health_status")),
    }),
  };
}

function readHealth(health: JsonObject | undefined): HealthStatus | undefined {
  const canSend = getWord(health, "can_send_message");
  if (canSend === undefined) return undefined;
  return {
    canSend,
    problems: (getArray(health, "entities") ?? []).map(asObject).flatMap((entity) =>
      (getArray(entity, "errors") ?? []).map((value) => {
        const error = asObject(value);
        const code = Number(getId(error, "error_code") ?? Number.NaN);
        return {
          entity: getWord(entity, "entity_type") ?? "UNKNOWN",
          ...defined({
            id: getId(entity, "id"),
            code: Number.isSafeInteger(code) ? code : undefined,
            description: getWord(error, "error_description"),
            solution: getWord(error, "possible_solution"),
          }),
        };
      }),
    ),
  };
}
