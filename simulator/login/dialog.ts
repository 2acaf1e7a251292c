import { json, type ReceivedRequest, type Reply } from "../http";
import type { Simulation } from "../simulation";
import type { BusinessNumber, LoginCode, World } from "../world";
import { issueCode } from "./codes";
import { escapeHtml, htmlPage } from "./html";
import { SCOPES } from "./scopes";

/** Meta's page where a person lets an app in: with or without a version before it. */
const DIALOG = /^(?:\/v\d{1,3}\.\d{1,2})?\/dialog\/oauth\/?$/;
/** What a business without a person's name would be asked by. */
const USER_ID_DEFAULT = "10154321987654321";

export function isDialogPath(path: string): boolean {
  return DIALOG.test(path);
}

/**
 * The login dialog. `GET` shows it; `POST`, which its buttons do, sends the browser back with a code, or with Meta's
 * `access_denied`. With `display=popup` it is the window of Embedded Signup: it tells its opener instead.
 */
export function answerDialog(simulation: Simulation, request: ReceivedRequest): Reply {
  const query = request.url.searchParams;
  const problem = dialogProblem(simulation, query);
  if (problem !== null)
    return htmlPage(400, "Error", `<h1>Sorry, something went wrong</h1><p>${escapeHtml(problem)}</p>`);
  if (request.method === "GET")
    return htmlPage(200, "Log in with Facebook", dialogForm(simulation, request.url));
  if (request.method !== "POST") return json(405, { error: { message: "Use GET or POST." } });
  const form = new URLSearchParams(request.body.toString("utf8"));
  return isPopup(query) ? endPopup(simulation, query, form) : sendBack(simulation, query, form);
}

const isPopup = (query: URLSearchParams) => query.get("display") === "popup";

function dialogProblem({ world }: Simulation, query: URLSearchParams): string | null {
  if (query.get("client_id") !== world.app.id) return "The parameter client_id is not the id of an app.";
  if ((query.get("response_type") ?? "code") !== "code") return "Only response_type=code is known here.";
  const redirect = query.get("redirect_uri") ?? "";
  if (isPopup(query)) return null;
  return URL.canParse(redirect) && /^https?:$/.test(new URL(redirect).protocol)
    ? null
    : "URL blocked: the parameter redirect_uri must be an http or https address.";
}

function dialogForm({ world }: Simulation, url: URL): string {
  const asked = (url.searchParams.get("scope") ?? "").split(/[\s,]+/).filter(Boolean);
  const scopes = asked.length === 0 ? [...SCOPES] : asked;
  const option = (name: string, value: string, label: string, note: string) =>
    `<label><input type="checkbox" name="${name}" value="${escapeHtml(value)}" checked> <span>${escapeHtml(label)}<small>${escapeHtml(note)}</small></span></label>`;
  const users = world.users
    .map(({ id, name }) => `<option value="${escapeHtml(id)}">${escapeHtml(name)}</option>`)
    .join("");
  const wabas = world.wabas.map((waba) => {
    const numbers = numbersOf(world, waba.id).map((number) => number.displayPhoneNumber);
    return option("waba", waba.id, waba.name, numbers.join(", ") || "no number yet");
  });
  return `<h1>${escapeHtml(world.app.name)} asks for access</h1>
<p class="note">This page stands in for Facebook. Nothing leaves this machine.</p>
<form method="post" action="${escapeHtml(`${url.pathname}${url.search}`)}">
  <label class="field">Continue as <select name="user">${users}</select></label>
  <fieldset><legend>WhatsApp accounts</legend>${wabas.join("")}</fieldset>
  <fieldset><legend>What the app may do</legend>${scopes.map((scope) => option("scope", scope, scope, "")).join("")}</fieldset>
  <div class="actions"><button name="action" value="cancel">Cancel</button><button class="primary" name="action" value="continue">Continue</button></div>
</form>`;
}

const numbersOf = (world: World, wabaId: string): BusinessNumber[] =>
  world.numbers.filter((number) => number.wabaId === wabaId);

/** What the person agreed to: only accounts and scopes that exist. */
function grantOf(
  { world }: Simulation,
  form: URLSearchParams,
): Pick<LoginCode, "userId" | "scopes" | "wabaIds"> {
  const known = (id: string) => world.wabas.some((waba) => waba.id === id);
  return {
    userId:
      world.users.find(({ id }) => id === form.get("user"))?.id ?? world.users[0]?.id ?? USER_ID_DEFAULT,
    scopes: form.getAll("scope"),
    wabaIds: form.getAll("waba").filter(known),
  };
}

function sendBack(simulation: Simulation, query: URLSearchParams, form: URLSearchParams): Reply {
  const redirectUri = query.get("redirect_uri") ?? "";
  const back = new URL(redirectUri);
  const state = query.get("state");
  if (form.get("action") === "continue") {
    back.searchParams.set("code", issueCode(simulation, { ...grantOf(simulation, form), redirectUri }));
  } else {
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_reason", "user_denied");
    back.searchParams.set("error_description", "Permissions error");
    back.searchParams.set("error_code", "200");
  }
  if (state !== null) back.searchParams.set("state", state);
  // Facebook appends this fragment to addresses that have none.
  if (back.hash === "") back.hash = "_=_";
  return { status: 302, headers: { location: back.href, "cache-control": "no-store" }, body: "" };
}

/** What the window tells the page that opened it: Meta's session event as JSON text, then the code for `FB.login`. */
function endPopup(simulation: Simulation, query: URLSearchParams, form: URLSearchParams): Reply {
  const { world } = simulation;
  const origin = query.get("origin") ?? "";
  const goesOn = form.get("action") === "continue";
  const grant = grantOf(simulation, form);
  const [wabaId] = grant.wabaIds;
  const number = wabaId === undefined ? undefined : numbersOf(world, wabaId)[0];
  const data = goesOn
    ? { phone_number_id: number?.id, waba_id: wabaId, business_id: world.business.id }
    : { current_step: "BUSINESS_ACCOUNT_SELECTION" };
  const event = goesOn ? (number === undefined ? "FINISH_ONLY_WABA" : "FINISH") : "CANCEL";
  const messages = [
    JSON.stringify({ type: "WA_EMBEDDED_SIGNUP", event, data, version: "3" }),
    JSON.stringify({
      type: "SIM_LOGIN",
      code: goesOn ? issueCode(simulation, { ...grant, redirectUri: null }) : null,
    }),
  ];
  const payload = escapeHtml(JSON.stringify({ origin, messages }));
  return htmlPage(
    200,
    "Done",
    `<p id="result" data-result="${payload}">You can close this window.</p><script src="/_sim/popup.js"></script>`,
  );
}

/** Runs in the window of Embedded Signup. */
export const POPUP_SCRIPT = `const { origin, messages } = JSON.parse(document.getElementById("result").dataset.result);
if (window.opener && origin) for (const message of messages) window.opener.postMessage(message, origin);
window.close();
`;

/** Stands in for \`connect.facebook.net/en_US/sdk.js\`: \`FB.init\` and the part of \`FB.login\` that Embedded Signup uses. */
export const SDK_SCRIPT = `(() => {
  const base = new URL(document.currentScript.src).origin;
  let appId = "";
  let version = "v25.0";
  window.FB = {
    init(options) {
      appId = options.appId;
      version = options.version ?? version;
    },
    login(callback, options) {
      const query = new URLSearchParams({ client_id: appId, response_type: "code", display: "popup", origin: location.origin });
      if (options && options.config_id) query.set("config_id", options.config_id);
      const popup = window.open(base + "/" + version + "/dialog/oauth?" + query, "login", "width=560,height=760");
      if (!popup) {
        callback({ status: "unknown", authResponse: null });
        return;
      }
      let done = false;
      const end = (code) => {
        if (done) return;
        done = true;
        clearInterval(timer);
        window.removeEventListener("message", listen);
        callback(code ? { status: "connected", authResponse: { code } } : { status: "unknown", authResponse: null });
      };
      const listen = (event) => {
        if (event.origin !== base) return;
        const message = JSON.parse(event.data);
        if (message.type === "SIM_LOGIN") end(message.code);
      };
      window.addEventListener("message", listen);
      const timer = setInterval(() => popup.closed && end(null), 500);
    },
  };
  window.fbAsyncInit?.();
})();
`;
