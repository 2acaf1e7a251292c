import { countCharacters } from "#shared/text";
import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, missing } from "./graph-error";
import { firstProblem } from "./message-checks";
import { formatMismatch } from "./template-parameter-rules";

/** Meta: "Copy code button", "Quick-reply buttons". */
const COUPON_CHARACTERS_MAX = 15;
const PAYLOAD_CHARACTERS_MAX = 256;

/** The `sub_type` that fills each type of button. */
const SUB_TYPES: Readonly<Record<string, readonly string[]>> = {
  QUICK_REPLY: ["quick_reply"],
  URL: ["url"],
  COPY_CODE: ["copy_code"],
  OTP: ["url", "copy_code", "one_tap", "zero_tap"],
  FLOW: ["flow"],
  CATALOG: ["catalog"],
  MPM: ["mpm"],
  VOICE_CALL: ["voice_call"],
  PHONE_NUMBER: ["phone_number"],
};

/** Position of a button or a card: a number, or digits as a text. -1 when it is neither. */
export function indexOf(object: JsonObject | undefined, key: string): number {
  const text = String(get(object, key) ?? "");
  return /^\d{1,3}$/.test(text) ? Number(text) : -1;
}

/** Compares the filled buttons with the approved ones. `code` is that of an authentication template. */
export function buttonsSendProblem(
  approved: readonly unknown[],
  given: readonly (JsonObject | undefined)[],
  code: string | null,
): GraphFailure | null {
  const buttons = approved.map(asObject);
  const strange = firstProblem(given, (button) => givenProblem(buttons[indexOf(button, "index")], button));
  if (strange !== null) return strange;
  return firstProblem(buttons, (button, index) => {
    const filled = given.find((candidate) => indexOf(candidate, "index") === index);
    return valueProblem(button, index, asObject(getArray(filled, "parameters")?.[0]), code);
  });
}

function givenProblem(approved: JsonObject | undefined, given: JsonObject | undefined): GraphFailure | null {
  if (approved === undefined) {
    return {
      status: 400,
      code: 132018,
      message: "(#132018) There is an issue with the parameters in your template",
      details: `buttons: there is no button at index ${String(get(given, "index")).slice(0, 10)}`,
    };
  }
  const type = (getText(approved, "type") ?? "").toUpperCase();
  const subType = (getText(given, "sub_type") ?? "").toLowerCase();
  const allowed = SUB_TYPES[type] ?? [type.toLowerCase()];
  return allowed.includes(subType)
    ? null
    : formatMismatch(`buttons: the button is of the type ${type}, not ${subType.slice(0, 40)}`);
}

function valueProblem(
  approved: JsonObject | undefined,
  index: number,
  parameter: JsonObject | undefined,
  code: string | null,
): GraphFailure | null {
  const type = (getText(approved, "type") ?? "").toUpperCase();
  const where = `buttons: Button at index ${index} of type ${type}`;
  switch (type) {
    case "URL":
      if (!/\{\{1\}\}/.test(getText(approved, "url") ?? "")) return null;
      return filled(parameter, where, "text");
    case "OTP":
      return (
        filled(parameter, where, "text") ??
        (getText(parameter, "text") === code
          ? null
          : formatMismatch(`${where} must carry the code of the body`))
      );
    case "COPY_CODE": {
      const lacking = filled(parameter, where, "coupon_code");
      if (lacking !== null) return lacking;
      return countCharacters(getText(parameter, "coupon_code") ?? "") <= COUPON_CHARACTERS_MAX
        ? null
        : formatMismatch(`${where} takes a code of at most ${COUPON_CHARACTERS_MAX} characters`);
    }
    case "QUICK_REPLY": {
      if (parameter === undefined) return null;
      const lacking = filled(parameter, where, "payload");
      if (lacking !== null) return lacking;
      return countCharacters(getText(parameter, "payload") ?? "") <= PAYLOAD_CHARACTERS_MAX
        ? null
        : formatMismatch(`${where} takes a payload of at most ${PAYLOAD_CHARACTERS_MAX} characters`);
    }
    case "FLOW":
    case "CATALOG":
      return parameter === undefined || getObject(parameter, "action") !== undefined
        ? null
        : formatMismatch(`${where} takes a parameter of the type action`);
    case "MPM":
      return getArray(getObject(parameter, "action"), "sections") === undefined
        ? missing(`${where} requires sections`)
        : null;
    default:
      return null;
  }
}

/** The value of a button: of the right kind, and not empty. */
function filled(parameter: JsonObject | undefined, where: string, kind: string): GraphFailure | null {
  if (parameter === undefined) return missing(`${where} requires a parameter`);
  const type = (getText(parameter, "type") ?? "").toLowerCase();
  if (type !== kind)
    return formatMismatch(`${where} takes a parameter of the type ${kind}, not ${type.slice(0, 40)}`);
  return (getText(parameter, kind) ?? "") === "" ? missing(`${where}['${kind}']`) : null;
}
