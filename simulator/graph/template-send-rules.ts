import { getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Template } from "../world";
import { type GraphFailure, missing } from "./graph-error";
import { required } from "./message-checks";
import { componentsSendProblem } from "./template-component-rules";

/** What is wrong with a template message, or null: the template's state first, then each of its components. */
export function templateSendProblem(
  template: JsonObject,
  simulation: Simulation,
  number: BusinessNumber,
  body: JsonObject,
): GraphFailure | null {
  const failure = required(template, "template", ["name"]);
  if (failure !== null) return failure;
  const language = getText(getObject(template, "language"), "code");
  if (language === undefined) return missing("template['language']['code']");
  const name = getText(template, "name") ?? "";
  const found = findTemplate(simulation, number, name, language);
  const problem = statusProblem(found?.status, name, language);
  if (problem !== null || found === undefined) return problem;
  return (
    recipientProblem(found, body) ??
    componentsSendProblem(simulation, found, getArray(template, "components") ?? [])
  );
}

/** Only an approved template can be sent (Meta: "Template status"); each other status has its code. */
function statusProblem(
  status: Template["status"] | undefined,
  name: string,
  language: string,
): GraphFailure | null {
  switch (status) {
    case "APPROVED":
      return null;
    case "PAUSED":
      return {
        status: 400,
        code: 132015,
        message: "(#132015) Template is paused",
        details: "The template is paused.",
      };
    case "DISABLED":
      return {
        status: 400,
        code: 132016,
        message: "(#132016) Template is disabled",
        details: "The template was paused too often.",
      };
    default:
      return {
        status: 404,
        code: 132001,
        message: "(#132001) Template name does not exist in the translation",
        details: `template name (${name.slice(0, 80)}) does not exist in ${language.slice(0, 20)}`,
      };
  }
}

/** Meta: codes for signing in go to a phone number, never to a user id alone. */
function recipientProblem(template: Template, body: JsonObject): GraphFailure | null {
  if (template.category !== "AUTHENTICATION" || getText(body, "to") !== undefined) return null;
  return {
    status: 400,
    code: 131062,
    message: "(#131062) Business-scoped user IDs are not supported for this message",
    details: "One-tap, zero-tap and copy-code authentication templates need a phone number.",
  };
}

export function findTemplate(
  simulation: Simulation,
  number: BusinessNumber,
  name: string,
  language: string,
): Template | undefined {
  return simulation.world.templates.find(
    (template) =>
      template.wabaId === number.wabaId && template.name === name && template.language === language,
  );
}
