import type { ReadResult } from "#shared/whatsapp/client";
import { graphErrorRule } from "#shared/whatsapp/graph-errors";
import { getId } from "#shared/whatsapp/json";
import { checkNewAccount, type NewAccount } from "./accounts";
import { fail } from "./errors";
import { graphClient } from "./graph";
import { sealAccountSecret } from "./secrets";

/** Longest token or secret that is taken; Meta's tokens have about 200 characters. */
const SECRET_CHARACTERS_MAX = 4096;

/**
 * Checks a new account outside the database: the fields, then with one Graph call that the token may use the very
 * number it claims (otherwise anybody could claim another's number and receive its customers), then seals the
 * secrets. Throws `invalid_request`, the error that Meta's refusal means, or `whatsapp_unreachable`.
 */
export async function prepareAccount(input: NewAccount & { accessToken: string; appSecret?: string }) {
  const account = checkNewAccount(input);
  const accessToken = requireSecret(input.accessToken, "accessToken");
  const appSecret = input.appSecret === undefined ? undefined : requireSecret(input.appSecret, "appSecret");
  await proveOwnership(account.phoneNumberId, accessToken);
  const sealId = crypto.randomUUID();
  return {
    ...account,
    sealId,
    accessTokenSealed: await sealAccountSecret({ sealId }, "accessToken", accessToken),
    ...(appSecret !== undefined && {
      appSecretSealed: await sealAccountSecret({ sealId }, "appSecret", appSecret),
    }),
  };
}

function requireSecret(text: string, field: string): string {
  const secret = text.trim();
  if (secret === "" || secret.length > SECRET_CHARACTERS_MAX || /\s/.test(secret))
    fail("invalid_request", { field });
  return secret;
}

async function proveOwnership(phoneNumberId: string, accessToken: string): Promise<void> {
  const answer = await graphClient(accessToken).get(`/${phoneNumberId}`, {
    fields: "id,display_phone_number",
  });
  if (!answer.ok) refuse(answer);
  if (getId(answer.value, "id") !== phoneNumberId) {
    fail("whatsapp_permission", {
      field: "phoneNumberId",
      say: "WhatsApp answered for another number than this one.",
    });
  }
}

/** Meta: an object that does not exist, or that the token may not see, is code 100 (older versions: 33, 803). */
const NOT_VISIBLE: ReadonlySet<number> = new Set([33, 100, 803]);

/** Ends with what Meta's refusal means; Meta's own words stay out of it, only its code is told. */
function refuse({ error, reason }: Extract<ReadResult<unknown>, { ok: false }>): never {
  if (error === undefined) fail("whatsapp_unreachable", { reason });
  if (NOT_VISIBLE.has(error.code)) {
    fail("whatsapp_permission", {
      field: "phoneNumberId",
      graphCode: error.code,
      say: "WhatsApp does not show this number to this access token.",
    });
  }
  fail(graphErrorRule(error).code, { graphCode: error.code });
}
