import type { Message, State } from "./api";
import { button, element, timeOfDay } from "./dom";

/** What a bubble may ask for. */
export interface BubbleActions {
  readonly reply: (message: Message) => void;
  readonly react: (message: Message, emoji: string) => void;
  readonly choose: (message: Message, choice: Choice) => void;
}

/** A button or row that the business offers. */
export interface Choice {
  readonly kind: "button_reply" | "list_reply" | "button";
  readonly id: string;
  readonly title: string;
}

type Content = Readonly<Record<string, unknown>>;

/** The chat of one person, oldest first. Reactions stand on the message that they are about. */
export function bubbles(state: State, messages: readonly Message[], actions: BubbleActions): HTMLElement[] {
  const reactions = new Map<string, string[]>();
  for (const message of messages.filter(({ type }) => type === "reaction")) {
    const { message_id: target, emoji } = contentOf(message);
    const others = (reactions.get(String(target)) ?? []).filter((one) => !one.startsWith(message.direction));
    reactions.set(String(target), emoji ? [...others, `${message.direction} ${emoji}`] : others);
  }
  return messages
    .filter(({ type }) => type !== "reaction")
    .map((message) => bubble(state, message, messages, reactions.get(message.id) ?? [], actions));
}

function bubble(
  state: State,
  message: Message,
  messages: readonly Message[],
  reactions: readonly string[],
  actions: BubbleActions,
): HTMLElement {
  const mine = message.direction === "inbound";
  const made = element("li", { class: mine ? "bubble mine" : "bubble" });
  const quoted = messages.find(({ id }) => id === message.quotes);
  if (message.quotes !== undefined) {
    made.append(
      element("p", { class: "quote" }, quoted === undefined ? "An earlier message" : summary(state, quoted)),
    );
  }
  made.append(...body(state, message));
  const choices = mine ? [] : choicesOf(state, message);
  if (choices.length > 0) {
    const offered = choices.map((choice) => button(choice.title, () => actions.choose(message, choice)));
    made.append(element("div", { class: "choices" }, ...offered));
  }
  const footer = element("footer", {}, timeOfDay(message.at), ticks(message));
  footer.append(...reactions.map((reaction) => element("span", {}, reaction.split(" ")[1] ?? "")));
  if (!mine) {
    const given = reactions.some((reaction) => reaction.startsWith("inbound"));
    footer.append(
      button("Reply", () => actions.reply(message)),
      button(given ? "Take back" : "React 👍", () => actions.react(message, given ? "" : "👍")),
    );
  }
  made.append(footer);
  return made;
}

const TICKS: Record<Message["status"], string> = {
  accepted: "accepted",
  received: "✓✓ received",
  sent: "✓ sent",
  delivered: "✓✓ delivered",
  read: "✓✓ read",
  played: "✓✓ played",
  failed: "failed",
};

function ticks(message: Message): HTMLElement {
  const failure = message.error === undefined ? "" : `: ${message.error.title} (${message.error.code})`;
  return element("span", { class: `ticks ${message.status}` }, TICKS[message.status] + failure);
}

function body(state: State, message: Message): HTMLElement[] {
  const content = contentOf(message);
  const words = wordsOf(state, message);
  const parts: HTMLElement[] = [];
  const media = state.media.find(({ id }) => id === content["id"]);
  if (media?.mimeType.startsWith("image/")) {
    parts.push(element("img", { src: `/_sim/media/${media.id}`, alt: words === "" ? message.type : words }));
  } else if (words === "" || message.type !== "text") {
    const about = [
      content["filename"] ?? content["link"] ?? "",
      media === undefined ? "" : `${media.bytes} bytes`,
    ];
    parts.push(element("p", { class: "kind" }, [label(message), ...about].filter(Boolean).join(" · ")));
  }
  if (words !== "") parts.push(element("p", { class: "words" }, words));
  return parts;
}

function label(message: Message): string {
  return message.type.charAt(0).toUpperCase() + message.type.slice(1).replaceAll("_", " ");
}

/** One line that stands for a message. */
export function summary(state: State, message: Message): string {
  const words = wordsOf(state, message);
  return words === "" ? label(message) : words.slice(0, 120);
}

function wordsOf(state: State, message: Message): string {
  const content = contentOf(message);
  const inner = (key: string) => asContent(content[key]);
  switch (message.type) {
    case "text":
      return String(content["body"] ?? "");
    case "template":
      return templateWords(state, content);
    case "interactive":
      return String(
        inner("body")["text"] ?? inner("button_reply")["title"] ?? inner("list_reply")["title"] ?? "",
      );
    case "button":
      return String(content["text"] ?? "");
    case "location":
      return [content["name"], content["address"], `${content["latitude"]}, ${content["longitude"]}`]
        .filter(Boolean)
        .join("\n");
    default:
      return String(content["caption"] ?? "");
  }
}

/** The text of a template with its parameters put in. */
function templateWords(state: State, content: Content): string {
  const template = state.templates.find(({ name }) => name === content["name"]);
  const text = String(
    template?.components.find((part) => part["type"] === "BODY")?.["text"] ?? content["name"] ?? "",
  );
  const components = Array.isArray(content["components"]) ? content["components"].map(asContent) : [];
  const given = components.find((part) => String(part["type"]).toLowerCase() === "body")?.["parameters"];
  const values = Array.isArray(given)
    ? given.map((parameter) => String(asContent(parameter)["text"] ?? ""))
    : [];
  return text.replace(/\{\{(\d+)\}\}/g, (placeholder, index) => values[Number(index) - 1] ?? placeholder);
}

function choicesOf(state: State, message: Message): Choice[] {
  const content = contentOf(message);
  if (message.type === "template") {
    const template = state.templates.find(({ name }) => name === content["name"]);
    const offered = template?.components.find((part) => part["type"] === "BUTTONS")?.["buttons"];
    return list(offered)
      .filter((one) => one["type"] === "QUICK_REPLY")
      .map((one) => ({ kind: "button", id: String(one["text"]), title: String(one["text"]) }));
  }
  const action = asContent(content["action"]);
  const buttons = list(action["buttons"]).map((one) => asContent(one["reply"]));
  const rows = list(action["sections"]).flatMap((section) => list(section["rows"]));
  const choice = (kind: Choice["kind"]) => (one: Content) => ({
    kind,
    id: String(one["id"]),
    title: String(one["title"]),
  });
  return [...buttons.map(choice("button_reply")), ...rows.map(choice("list_reply"))];
}

function contentOf(message: Message): Content {
  return asContent(message.content);
}

function asContent(value: unknown): Content {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function list(value: unknown): Content[] {
  return Array.isArray(value) ? value.map(asContent) : [];
}
