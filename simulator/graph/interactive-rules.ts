import { countCharacters } from "#shared/text";
import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import { actionNamed, linkProblem } from "./action-rules";
import { cardsProblem, catalogProblem, productListProblem, productProblem } from "./commerce-rules";
import { type GraphFailure, invalid, invalidParameter, missing } from "./graph-error";
import { at, fileProblem, firstProblem, limited, required, requiredText } from "./message-checks";

/** Limits of Meta's pages "Interactive reply buttons", "Interactive lists", "Call-to-action URL button", "Flows". */
const HEADER_CHARACTERS_MAX = 60;
const FOOTER_CHARACTERS_MAX = 60;
const BODY_CHARACTERS_MAX = 1024;
const LIST_BODY_CHARACTERS_MAX = 4096;
const BUTTONS_MAX = 3;
const BUTTON_ID_CHARACTERS_MAX = 256;
const BUTTON_TITLE_CHARACTERS_MAX = 20;
const SECTIONS_MAX = 10;
const ROWS_MAX = 10;
const SECTION_TITLE_CHARACTERS_MAX = 24;
const ROW_ID_CHARACTERS_MAX = 200;
const ROW_TITLE_CHARACTERS_MAX = 24;
const ROW_DESCRIPTION_CHARACTERS_MAX = 72;
const FLOW_CTA_CHARACTERS_MAX = 30;

type HeaderType = "text" | "image" | "video" | "document";
const ANY_HEADER: readonly HeaderType[] = ["text", "image", "video", "document"];
const NO_HEADER: readonly HeaderType[] = [];

interface Kind {
  readonly headers: readonly HeaderType[];
  readonly needsHeader?: true;
  /** Longest body; null where a body may be left out. */
  readonly bodyCharactersMax: number | null;
  readonly actionProblem: (action: JsonObject, simulation: Simulation) => GraphFailure | null;
}

const body = { bodyCharactersMax: BODY_CHARACTERS_MAX } as const;
const named = (name: string) => (action: JsonObject) => actionNamed(action, name);

/** Every kind of interactive message that Meta documents. */
const KINDS: Readonly<Record<string, Kind>> = {
  button: { ...body, headers: ANY_HEADER, actionProblem: (action) => buttonsProblem(action) },
  list: {
    headers: ["text"],
    bodyCharactersMax: LIST_BODY_CHARACTERS_MAX,
    actionProblem: (action) => sectionsProblem(action),
  },
  cta_url: { ...body, headers: ANY_HEADER, actionProblem: (action) => linkProblem(action) },
  flow: { ...body, headers: ANY_HEADER, actionProblem: (action) => flowProblem(action) },
  location_request_message: { ...body, headers: NO_HEADER, actionProblem: named("send_location") },
  product: { headers: NO_HEADER, bodyCharactersMax: null, actionProblem: productProblem },
  product_list: { ...body, headers: ["text"], needsHeader: true, actionProblem: productListProblem },
  catalog_message: { ...body, headers: NO_HEADER, actionProblem: catalogProblem },
  carousel: { ...body, headers: NO_HEADER, actionProblem: cardsProblem },
  address_message: { ...body, headers: NO_HEADER, actionProblem: named("address_message") },
  call_permission_request: { ...body, headers: NO_HEADER, actionProblem: named("call_permission_request") },
  voice_call: { ...body, headers: NO_HEADER, actionProblem: named("voice_call") },
  request_contact_info: { ...body, headers: NO_HEADER, actionProblem: named("request_contact_info") },
  order_details: { ...body, headers: ["image"], actionProblem: named("review_and_pay") },
  order_status: { ...body, headers: NO_HEADER, actionProblem: named("review_order") },
};

/** What is wrong with an interactive message, or null. */
export function interactiveProblem(interactive: JsonObject, simulation: Simulation): GraphFailure | null {
  const type = getText(interactive, "type");
  if (type === undefined) return missing("interactive['type']");
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (kind === undefined) {
    return invalidParameter(
      `Param interactive['type'] must be one of {${Object.keys(KINDS).join(", ")}} - got "${type.slice(0, 40)}".`,
    );
  }
  const action = getObject(interactive, "action");
  if (action === undefined) return missing("interactive['action']");
  return (
    headerProblem(interactive, kind, simulation) ??
    bodyProblem(interactive, kind) ??
    footerProblem(interactive) ??
    kind.actionProblem(action, simulation)
  );
}

function headerProblem(interactive: JsonObject, kind: Kind, simulation: Simulation): GraphFailure | null {
  const path = "interactive['header']";
  if (get(interactive, "header") === undefined) return kind.needsHeader === true ? missing(path) : null;
  const header = getObject(interactive, "header");
  const type = getText(header, "type");
  if (type === undefined) return missing(at(path, "type"));
  if (!kind.headers.some((allowed) => allowed === type)) {
    return invalid(`A header of the type ${type.slice(0, 40)} is not possible on this kind of message.`);
  }
  return type === "text"
    ? requiredText(header, path, "text", HEADER_CHARACTERS_MAX)
    : fileProblem(simulation, getObject(header, type), at(path, type));
}

function bodyProblem(interactive: JsonObject, { bodyCharactersMax }: Kind): GraphFailure | null {
  const path = "interactive['body']";
  if (get(interactive, "body") === undefined) return bodyCharactersMax === null ? null : missing(path);
  return requiredText(getObject(interactive, "body"), path, "text", bodyCharactersMax ?? BODY_CHARACTERS_MAX);
}

function footerProblem(interactive: JsonObject): GraphFailure | null {
  if (get(interactive, "footer") === undefined) return null;
  return requiredText(
    getObject(interactive, "footer"),
    "interactive['footer']",
    "text",
    FOOTER_CHARACTERS_MAX,
  );
}

function buttonsProblem(action: JsonObject): GraphFailure | null {
  const buttons = getArray(action, "buttons");
  if (buttons === undefined || buttons.length < 1 || buttons.length > BUTTONS_MAX) {
    return invalid(`Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: ${BUTTONS_MAX}.`);
  }
  const items = buttons.map(asObject);
  if (items.some((button) => getText(button, "type") !== "reply")) {
    return invalid("Each button must be of the type reply.");
  }
  const replies = items.map((button) => getObject(button, "reply"));
  return (
    firstProblem(
      replies,
      (reply) =>
        wordProblem(reply, "id", "Button id", BUTTON_ID_CHARACTERS_MAX) ??
        wordProblem(reply, "title", "Button title", BUTTON_TITLE_CHARACTERS_MAX),
    ) ?? distinct(replies, "The ids of the buttons must differ.")
  );
}

function sectionsProblem(action: JsonObject): GraphFailure | null {
  const path = "interactive['action']";
  const unlabelled = requiredText(action, path, "button", BUTTON_TITLE_CHARACTERS_MAX);
  if (unlabelled !== null) return unlabelled;
  const sections = (getArray(action, "sections") ?? []).map(asObject);
  if (sections.length < 1 || sections.length > SECTIONS_MAX) {
    return invalid(`Sections count invalid. Min: 1, Max: ${SECTIONS_MAX}.`);
  }
  const untitled = sections.findIndex((section) => (getText(section, "title") ?? "") === "");
  if (sections.length > 1 && untitled !== -1) return missing(at(at(at(path, "sections"), untitled), "title"));
  const longTitle = firstProblem(sections, (section) =>
    countCharacters(getText(section, "title") ?? "") > SECTION_TITLE_CHARACTERS_MAX
      ? invalid(`Section title length invalid. Max length: ${SECTION_TITLE_CHARACTERS_MAX}.`)
      : null,
  );
  if (longTitle !== null) return longTitle;
  const rows = sections.flatMap((section) => getArray(section, "rows") ?? []).map(asObject);
  if (rows.length < 1 || rows.length > ROWS_MAX) {
    return invalid(`Total row count exceed max allowed count: ${ROWS_MAX}, or there is none.`);
  }
  return firstProblem(rows, rowProblem) ?? distinct(rows, "The ids of the rows must differ.");
}

function rowProblem(row: JsonObject | undefined): GraphFailure | null {
  const description = get(row, "description");
  const isDescribed =
    description === undefined ||
    (typeof description === "string" && countCharacters(description) <= ROW_DESCRIPTION_CHARACTERS_MAX);
  return (
    wordProblem(row, "id", "Row id", ROW_ID_CHARACTERS_MAX) ??
    wordProblem(row, "title", "Row title", ROW_TITLE_CHARACTERS_MAX) ??
    (isDescribed
      ? null
      : invalid(`Row description length invalid. Max length: ${ROW_DESCRIPTION_CHARACTERS_MAX}.`))
  );
}

/** Meta answers lengths inside buttons and rows as wrong values, those of whole texts as wrong parameters. */
function wordProblem(
  object: JsonObject | undefined,
  key: string,
  what: string,
  charactersMax: number,
): GraphFailure | null {
  const text = get(object, key);
  const isFine = typeof text === "string" && text.trim() !== "" && countCharacters(text) <= charactersMax;
  return isFine ? null : invalid(`${what} length invalid. Min length: 1, Max length: ${charactersMax}.`);
}

function distinct(items: readonly (JsonObject | undefined)[], sentence: string): GraphFailure | null {
  const ids = items.map((item) => getText(item, "id"));
  return new Set(ids).size < ids.length ? invalid(sentence) : null;
}

function flowProblem(action: JsonObject): GraphFailure | null {
  const path = "interactive['action']['parameters']";
  const parameters = getObject(action, "parameters");
  const lacking =
    actionNamed(action, "flow") ??
    required(parameters, path, ["flow_message_version", "flow_cta"]) ??
    limited(parameters, path, "flow_cta", FLOW_CTA_CHARACTERS_MAX);
  if (lacking !== null) return lacking;
  if (getText(parameters, "flow_message_version") !== "3")
    return invalid(`${at(path, "flow_message_version")} must be 3.`);
  const named = ["flow_id", "flow_name"].filter((key) => get(parameters, key) !== undefined);
  if (named.length === 0) return missing(`${at(path, "flow_id")} or ${at(path, "flow_name")}`);
  if (named.length === 2) return invalid("Give either flow_id or flow_name.");
  const mode = getText(parameters, "mode") ?? "published";
  if (mode !== "draft" && mode !== "published") return invalid(`${at(path, "mode")} is not valid.`);
  const does = getText(parameters, "flow_action") ?? "navigate";
  if (does !== "navigate" && does !== "data_exchange")
    return invalid(`${at(path, "flow_action")} is not valid.`);
  const payload = get(parameters, "flow_action_payload");
  if (payload === undefined) return null;
  if (does === "data_exchange") return invalid("flow_action_payload is for flows that navigate.");
  return required(asObject(payload), at(path, "flow_action_payload"), ["screen"]);
}
