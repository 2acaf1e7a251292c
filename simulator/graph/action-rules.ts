import { getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, invalid } from "./graph-error";
import { at, isWebAddress, limited, required } from "./message-checks";

/** Meta: "Call-to-action URL button": longest label. */
const LABEL_CHARACTERS_MAX = 20;

/** Actions that say by a name what they are. */
export function actionNamed(action: JsonObject, name: string): GraphFailure | null {
  const path = "interactive['action']";
  return (
    required(action, path, ["name"]) ??
    (getText(action, "name") === name ? null : invalid(`${at(path, "name")} must be ${name}.`))
  );
}

/** A button that opens a web page; also on the cards of a carousel. */
export function linkProblem(action: JsonObject): GraphFailure | null {
  const path = "interactive['action']['parameters']";
  const parameters = getObject(action, "parameters");
  return (
    actionNamed(action, "cta_url") ??
    required(parameters, path, ["display_text", "url"]) ??
    limited(parameters, path, "display_text", LABEL_CHARACTERS_MAX) ??
    (isWebAddress(getText(parameters, "url") ?? "")
      ? null
      : invalid(`${at(path, "url")} is not a valid URI.`))
  );
}
