import { IV_BYTES, openSecret, parseSecretsKeys, type SecretsKey, sealSecret } from "#shared/sealed";
import type { Doc } from "../_generated/dataModel";
import { requireSetting } from "./env";
import { fail } from "./errors";

/** The secrets of an account, each with its own derived key. */
type SecretField = "accessToken" | "appSecret";

type SealedAccount = Pick<Doc<"accounts">, "sealId">;

/** The keys of SECRETS_KEYS. Throws `misconfigured` with what is wrong with it. */
export function secretsKeys(): readonly SecretsKey[] {
  const parsed = parseSecretsKeys(requireSetting("SECRETS_KEYS"));
  if ("problem" in parsed) fail("misconfigured", { setting: "SECRETS_KEYS", say: parsed.problem });
  return parsed.keys;
}

/** Seals a secret of an account. Only for actions: the randomness of mutations is seeded and would repeat an iv. */
export async function sealAccountSecret(
  account: SealedAccount,
  field: SecretField,
  secret: string,
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  return await sealSecret(secretsKeys(), place(account, field), secret, iv);
}

/**
 * Opens a secret of an account, or gives null when it does not open (its key is gone, or it was tampered with).
 * Decryption needs no randomness, so mutations may do it too.
 */
export async function openAccountSecret(
  account: SealedAccount,
  field: SecretField,
  sealed: string,
): Promise<string | null> {
  const opened = await openSecret(secretsKeys(), place(account, field), sealed);
  return opened.ok ? opened.secret : null;
}

function place(account: SealedAccount, field: SecretField) {
  return { purpose: `accounts.${field}`, rowId: account.sealId };
}
