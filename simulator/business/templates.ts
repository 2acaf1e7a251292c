import { getArray, getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, invalidParameter, unknownObject } from "../graph/graph-error";
import type { GraphResult } from "../graph/send-message";
import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import type { WebhookEvent } from "../webhooks/payloads";
import type { Template, Waba } from "../world";
import { nextStatus, pauseMs, type TemplateEvent } from "./template-machine";
import { type Category, componentsProblem, templateProblem } from "./template-rules";

/** How long the simulated review takes, by the virtual clock; Meta's takes minutes to a day. */
export const REVIEW_MS = 2_000;
/** Meta: how long a deleted template is kept, and its name blocked. */
export const DELETION_MS = 30 * 24 * 60 * 60 * 1000;
/** Templates of one account (Meta: 250 for businesses that are not verified). */
const TEMPLATES_MAX = 250;
/** Meta: an approved template may be edited once in 24 hours. */
const EDIT_EVERY_MS = 24 * 60 * 60 * 1000;
/** Texts with this word are rejected in review, so that a rejection can be rehearsed. */
export const REJECTED_WORD = "reject me";

/** `POST /{waba}/message_templates`: a template enters review. */
export function createTemplate(simulation: Simulation, waba: Waba, body: JsonObject): GraphResult {
  const failure = templateProblem(body);
  if (failure !== null) return { failure };
  const name = getText(body, "name") ?? "";
  const language = getText(body, "language") ?? "";
  const category = (getText(body, "category") ?? "").toUpperCase() as Category;
  const own = simulation.world.templates.filter((template) => template.wabaId === waba.id);
  const twin = own.find((template) => template.name === name && template.language === language);
  if (twin !== undefined) return { failure: nameTaken(twin) };
  if (own.length >= TEMPLATES_MAX) {
    return { failure: taken(2388019, "Limit reached", `An account has at most ${TEMPLATES_MAX} templates.`) };
  }
  const template: Template = {
    id: simulation.ids.digits("template", 16),
    wabaId: waba.id,
    name,
    language,
    category,
    status: "PENDING",
    parameterFormat: getText(body, "parameter_format")?.toUpperCase() === "NAMED" ? "NAMED" : "POSITIONAL",
    components: objectsOf(getArray(body, "components")),
    quality: "UNKNOWN",
    rejectedReason: "NONE",
    pauses: 0,
    editedAt: null,
  };
  simulation.world.templates.push(template);
  simulation.journal.emit({ type: "state" });
  planReview(simulation, template);
  return { ok: { id: template.id, status: template.status, category: template.category } };
}

/** `POST /{template-id}`: new components or category, which go back to review; or `/unpause`. */
export function changeTemplate(
  simulation: Simulation,
  template: Template,
  edge: string,
  body: JsonObject,
): GraphResult {
  if (edge === "unpause") {
    const moved = move(simulation, template, "unpause");
    return moved === null
      ? { ok: { success: false, reason: "The template is not paused." } }
      : { ok: { success: true } };
  }
  if (edge !== "") return { failure: unknownObject(template.id, "POST") };
  const components = getArray(body, "components");
  const category = getText(body, "category")?.toUpperCase();
  const problem =
    components === undefined ? null : componentsProblem(components, template.category === "AUTHENTICATION");
  if (problem !== null) return { failure: problem };
  const isApproved = template.status === "APPROVED";
  if (isApproved && category !== undefined && category !== template.category) {
    return {
      failure: taken(
        2388025,
        "Category can't be changed",
        "The category of an approved template can't be changed.",
      ),
    };
  }
  const now = simulation.clock.now();
  if (isApproved && template.editedAt !== null && now < template.editedAt + EDIT_EVERY_MS) {
    return {
      failure: taken(2388095, "Too many edits", "An approved template can be edited once in 24 hours."),
    };
  }
  if (move(simulation, template, "edit") === null) {
    return {
      failure: taken(
        2388093,
        "Template can't be edited",
        `A template that is ${template.status} can't be edited.`,
      ),
    };
  }
  if (components !== undefined) template.components = objectsOf(components);
  if (isCategory(category)) template.category = category;
  template.editedAt = now;
  planReview(simulation, template);
  return { ok: { success: true } };
}

/** `DELETE /{waba}/message_templates` by name, in one language (`hsm_id`) or in all. */
export function deleteTemplates(simulation: Simulation, waba: Waba, query: URLSearchParams): GraphResult {
  const name = query.get("name");
  const id = query.get("hsm_id");
  if (name === null) return { failure: invalidParameter("The parameter name is required.") };
  const found = simulation.world.templates.filter(
    (template) =>
      template.wabaId === waba.id &&
      template.name === name &&
      (id === null || template.id === id) &&
      template.status !== "DELETED",
  );
  if (found.length === 0) {
    return {
      failure: taken(
        2593002,
        "Message template not found",
        `There is no template named ${name.slice(0, 80)}.`,
      ),
    };
  }
  for (const template of found) {
    if (move(simulation, template, "delete") === null) continue;
    planPurge(simulation, template);
  }
  return { ok: { success: true } };
}

/** Something happens to a template, and whoever listens is told; null when it cannot happen now. */
export async function happenToTemplate(
  simulation: Simulation,
  template: Template,
  event: TemplateEvent,
  reason?: string,
): Promise<DeliveryEntry[] | null> {
  if (event === "pause") return pause(simulation, template);
  const status = move(simulation, template, event);
  if (status === null) return null;
  if (event === "reject") template.rejectedReason = reason ?? "INVALID_FORMAT";
  return simulation.sender.send(statusEvent(template, STATUS_WORDS[event] ?? status, reason));
}

/** Meta's quality of a template; red pauses it (Meta: "Template quality rating"). */
export async function rateTemplate(
  simulation: Simulation,
  template: Template,
  quality: Template["quality"],
): Promise<DeliveryEntry[]> {
  const before = template.quality;
  template.quality = quality;
  simulation.journal.emit({ type: "state" });
  const told = await simulation.sender.send(
    event("message_template_quality_update", template, {
      previous_quality_score: before,
      new_quality_score: quality,
      ...refOf(template),
    }),
  );
  if (quality !== "RED" || template.status !== "APPROVED") return told;
  return [...told, ...((await pause(simulation, template)) ?? [])];
}

/** Meta changes a category by itself and says so. */
export function recategorize(
  simulation: Simulation,
  template: Template,
  category: Category,
): Promise<DeliveryEntry[]> {
  const before = template.category;
  template.category = category;
  simulation.journal.emit({ type: "state" });
  return simulation.sender.send(
    event("template_category_update", template, {
      ...refOf(template),
      previous_category: before,
      new_category: category,
    }),
  );
}

/** Words of Meta's webhook that are not the new status. */
const STATUS_WORDS: Partial<Record<TemplateEvent, string>> = { unpause: "APPROVED", unarchive: "UNARCHIVED" };

async function pause(simulation: Simulation, template: Template): Promise<DeliveryEntry[] | null> {
  const lastsMs = pauseMs(template.pauses);
  const status = move(simulation, template, lastsMs === null ? "disable" : "pause");
  if (status === null) return null;
  template.pauses += 1;
  if (lastsMs !== null) planUnpause(simulation, template, lastsMs);
  const title = ["FIRST_PAUSE", "SECOND_PAUSE"][template.pauses - 1];
  const other =
    title === undefined ? {} : { other_info: { title, description: "The quality of this template is low." } };
  return simulation.sender.send(statusEvent(template, status, undefined, other));
}

function move(simulation: Simulation, template: Template, event: TemplateEvent): Template["status"] | null {
  const next = nextStatus(template.status, event);
  if (next === null) return null;
  template.status = next;
  simulation.journal.emit({ type: "state" });
  return next;
}

/** What was planned for templates when the world was kept is planned anew, from now on. */
export function resumeTemplates(simulation: Simulation): void {
  for (const template of simulation.world.templates) {
    if (template.status === "PENDING") planReview(simulation, template);
    if (template.status === "PENDING_DELETION") planPurge(simulation, template);
    const lastsMs = template.status === "PAUSED" ? pauseMs(template.pauses - 1) : null;
    if (lastsMs !== null) planUnpause(simulation, template, lastsMs);
  }
}

function planPurge(simulation: Simulation, template: Template): void {
  simulation.clock.after(DELETION_MS, () => {
    move(simulation, template, "purge");
    const { templates } = simulation.world;
    if (templates.includes(template)) templates.splice(templates.indexOf(template), 1);
    simulation.journal.emit({ type: "state" });
  });
}

function planUnpause(simulation: Simulation, template: Template, lastsMs: number): void {
  const { pauses } = template;
  simulation.clock.after(lastsMs, async () => {
    if (template.pauses === pauses) await happenToTemplate(simulation, template, "unpause");
  });
}

function planReview(simulation: Simulation, template: Template): void {
  const isRejected = JSON.stringify(template.components).toLowerCase().includes(REJECTED_WORD);
  simulation.clock.after(REVIEW_MS, async () => {
    await happenToTemplate(
      simulation,
      template,
      isRejected ? "reject" : "approve",
      isRejected ? "TAG_CONTENT_MISMATCH" : undefined,
    );
  });
}

function refOf(template: Template) {
  return {
    // Webhooks write the id as a number, the Graph as a text.
    message_template_id: Number(template.id),
    message_template_name: template.name,
    message_template_language: template.language,
  };
}

function statusEvent(template: Template, word: string, reason?: string, more: object = {}): WebhookEvent {
  return event("message_template_status_update", template, {
    event: word,
    ...refOf(template),
    message_template_category: template.category,
    reason: reason ?? "NONE",
    ...more,
  });
}

const event = (field: string, template: Template, value: object): WebhookEvent => ({
  wabaId: template.wabaId,
  field,
  value: { ...value },
  peer: "",
  type: field,
});

function taken(subcode: number, userTitle: string, userMessage: string): GraphFailure {
  return { status: 400, code: 100, subcode, message: "Invalid parameter", userTitle, userMessage };
}

function nameTaken(twin: Template): GraphFailure {
  return twin.status === "PENDING_DELETION" || twin.status === "DELETED"
    ? taken(2388023, "Language is being deleted", "The name can be used again 30 days after it was deleted.")
    : taken(
        2388024,
        "Content in this language already exists",
        "There is already a template of this name and language.",
      );
}

const isCategory = (text: string | undefined): text is Category =>
  text === "MARKETING" || text === "UTILITY" || text === "AUTHENTICATION";

function objectsOf(list: readonly unknown[] | undefined): Readonly<Record<string, unknown>>[] {
  return (list ?? []).flatMap((item) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? [{ ...item }] : [],
  );
}
