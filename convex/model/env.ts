import { fail } from "./errors";

/** Every variable of the deployment that functions read; `.env.example` says what each is for. */
type Setting =
  | "API_KEY_PEPPER"
  | "CONVEX_SITE_URL"
  | "FACEBOOK_APP_ID"
  | "FACEBOOK_APP_SECRET"
  | "FORWARD_ALLOW_CIDRS"
  | "META_GRAPH_URL"
  | "META_GRAPH_VERSION"
  | "META_MEDIA_HOSTS"
  | "SECRETS_KEYS"
  | "SITE_URL"
  | "WEBHOOK_VERIFY_TOKEN";

/** The value of a setting, or undefined when it is missing or empty. */
export function setting(name: Setting): string | undefined {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
}

/** The value of a setting. Throws `misconfigured`, naming the setting but never a value. */
export function requireSetting(name: Setting): string {
  return setting(name) ?? fail("misconfigured", { setting: name, say: `Set ${name} on the deployment.` });
}
