import { byId, element } from "./dom";
import type { WebhookRow } from "./log-book";
import type { Store } from "./store";

/** Says where webhooks go and, when they do not arrive, what to do about it. */
export function showCallback(store: Store): void {
  const pill = byId("callback", HTMLSpanElement);
  const banner = byId("callback-problem", HTMLDivElement);
  const [subscription] = store.world.subscriptions;
  const last = store.log.lastWebhook();
  const problem = subscription === undefined ? NOBODY : problemOf(last);
  const kind = problem === null ? (last === undefined ? "none" : "good") : "bad";
  const words = subscription === undefined ? "no webhook" : subscription.url.replace(/^https?:\/\//, "");
  if (pill.textContent !== words) pill.textContent = words;
  pill.className = `pill ${kind}`;
  pill.title = subscription === undefined ? "" : `Webhooks go to ${subscription.url}`;
  banner.hidden = problem === null;
  const signature = JSON.stringify(problem);
  if (problem === null || banner.dataset["shown"] === signature) {
    if (problem === null) delete banner.dataset["shown"];
    return;
  }
  banner.dataset["shown"] = signature;
  banner.replaceChildren(element("strong", {}, problem.what), element("p", {}, problem.help));
}

interface Problem {
  readonly what: string;
  readonly help: string;
}

const NOBODY: Problem = {
  what: "No webhook is subscribed: messages reach nobody.",
  help: "Start the simulator with --webhook-url http://127.0.0.1:3000/api/webhook, or subscribe through the Graph.",
};

function problemOf(row: WebhookRow | undefined): Problem | null {
  if (row === undefined || row.good) return null;
  const { status, error = "", url } = row.entry;
  const again = "It is repeated by the virtual clock; “Send again” in the log sends it now.";
  if (status === null)
    return {
      what: `The callback can't be reached: ${error || "no answer"}.`,
      help: helpWithout(error, url, again),
    };
  const what = `The callback answers ${status}.`;
  if (status === 401 || status === 403) {
    return {
      what,
      help: `It does not know the signature: its app secret must be the simulator's (SIM_APP_SECRET). ${again}`,
    };
  }
  if (status === 404) return { what, help: `Nothing is at ${url}: look at the path. ${again}` };
  if (status >= 300 && status < 400)
    return { what, help: "Meta follows no redirect: give the address that it leads to." };
  return { what, help: `Look at the log of the app that answers at ${url}. ${again}` };
}

function helpWithout(error: string, url: string, again: string): string {
  if (error.includes("ECONNREFUSED"))
    return `Nothing listens at ${new URL(url).host}: start the app. ${again}`;
  if (/handshake|challenge/.test(error)) {
    return `The verify token of the app must be the simulator's (SIM_VERIFY_TOKEN). ${again}`;
  }
  if (/Timeout/i.test(error)) return `It took longer than Meta waits. ${again}`;
  return again;
}
