import { defined } from "#shared/defined";
import { GraphClient } from "#shared/whatsapp/client";
import { requireSetting, setting } from "./env";

/** Meta's address unless the deployment names another one (the simulator). Never a tenant's choice. */
const GRAPH_URL_DEFAULT = "https://graph.facebook.com";

/** The Graph client of this deployment for one access token. Only for actions, which have a network. */
export function graphClient(accessToken: string, appSecret?: string): GraphClient {
  return new GraphClient({
    baseUrl: setting("META_GRAPH_URL") ?? GRAPH_URL_DEFAULT,
    version: requireSetting("META_GRAPH_VERSION"),
    accessToken,
    fetch: (url, init) => fetch(url, init),
    ...defined({ appSecret }),
  });
}
