import { GraphClient } from "#shared/whatsapp/client";
import type { LoginOptions, MetaApp } from "#shared/whatsapp/client-login";
import { setting } from "./env";

/** Meta's address unless the deployment names another one (the simulator). Never a tenant's choice. */
const GRAPH_URL_DEFAULT = "https://graph.facebook.com";
/** Released 2026-02-18 and served until 2028-07-29. */
const GRAPH_VERSION_DEFAULT = "v25.0";

/**
 * The Graph client of this deployment for one access token. Only for actions, which have a network. `deadlineMs` is the
 * time of one call where the usual one is too short, as for large files.
 */
export function graphClient(accessToken: string, deadlineMs?: number): GraphClient {
  return new GraphClient({ ...graphOptions(), accessToken, ...(deadlineMs !== undefined && { deadlineMs }) });
}

/** Where Meta is, for the calls that need another credential than an account's token. */
export function graphOptions(): LoginOptions {
  return {
    baseUrl: setting("META_GRAPH_URL") ?? GRAPH_URL_DEFAULT,
    version: setting("META_GRAPH_VERSION") ?? GRAPH_VERSION_DEFAULT,
    fetch: (url, init) => fetch(url, init),
  };
}

/** The Meta app of this deployment, or null when it has none and every account brings its own token. */
export function metaApp(): MetaApp | null {
  const [appId, appSecret] = [setting("FACEBOOK_APP_ID"), setting("FACEBOOK_APP_SECRET")];
  return appId === undefined || appSecret === undefined ? null : { appId, appSecret };
}
