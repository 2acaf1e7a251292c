import { toBase64Url } from "#shared/bytes";
import { API_KEY_RANDOM_BYTES, type ApiKeyMode, mintApiKey } from "#shared/ids";
import { hmacSha256 } from "#shared/signature";
import { requireSetting } from "./env";
import { fail } from "./errors";

/** A new key from true randomness, with all that may be stored of it. Only for actions. */
export async function mintKey(mode: ApiKeyMode) {
  const { text, last4 } = mintApiKey(mode, crypto.getRandomValues(new Uint8Array(API_KEY_RANDOM_BYTES)));
  const pepper = currentPepper();
  const keyHash = toBase64Url(await hmacSha256(pepper.value, text));
  return { key: text, minted: { last4, pepperId: pepper.id, keyHash } };
}

/** The first entry of API_KEY_PEPPER (`kid:value[,older]`), under which new keys are stored. */
function currentPepper(): { id: string; value: string } {
  const [first = ""] = requireSetting("API_KEY_PEPPER").split(",");
  const colon = first.indexOf(":");
  const id = first.slice(0, colon).trim();
  const value = first.slice(colon + 1).trim();
  if (colon < 1 || id === "" || value === "") {
    fail("misconfigured", { setting: "API_KEY_PEPPER", say: "API_KEY_PEPPER must be written as kid:value." });
  }
  return { id, value };
}
