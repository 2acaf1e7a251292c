import type { SimulatorEvent } from "../journal";
import { call, type Message, type Person, type State } from "./api";
import { bubbles, type Choice, summary } from "./bubbles";
import { byId, element } from "./dom";
import { clearLog, filterLog, logDelivery, logRequest } from "./log";

/** How long "is typing" is shown, as on a phone. */
const TYPING_MS = 25_000;

const chat = byId("chat", HTMLOListElement);
const text = byId("text", HTMLTextAreaElement);
const online = byId("online", HTMLInputElement);
const receipts = byId("receipts", HTMLInputElement);

let state: State = await call<State>("state");
let chosen = state.customers[0]?.phone ?? "";
let quoting: Message | null = null;
let typingUntil = 0;
let unseenEntries = 0;

function person(): Person | undefined {
  return state.customers.find(({ phone }) => phone === chosen);
}

async function loadState(): Promise<void> {
  state = await call<State>("state");
  if (person() === undefined) chosen = state.customers[0]?.phone ?? "";
  showAll();
}

function showAll(): void {
  showPeople();
  showPerson();
  showChat();
  const [subscription] = state.subscriptions;
  const callback = byId("callback", HTMLParagraphElement);
  callback.classList.toggle("bad", subscription === undefined);
  callback.textContent =
    subscription === undefined
      ? "No webhook is subscribed: messages reach nobody."
      : `Webhooks go to ${subscription.url}`;
  showTime();
}

function showTime(): void {
  const time = byId("now", HTMLElement);
  time.textContent = new Date(state.clock.now).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
}

function showPeople(): void {
  const items = state.customers.map((one) => {
    const chooser = element(
      "button",
      { type: "button", "aria-current": String(one.phone === chosen) },
      element("span", {}, one.name),
      element("span", { class: "quiet" }, lastWords(one) || (one.username ? `@${one.username}` : one.phone)),
    );
    chooser.addEventListener("click", () => choose(one.phone));
    return element("li", {}, chooser);
  });
  byId("people", HTMLUListElement).replaceChildren(...items);
}

function lastWords(one: Person): string {
  const last = state.messages.filter(({ peer }) => `+${peer}` === one.phone).at(-1);
  return last === undefined ? "" : summary(state, last);
}

function choose(phone: string): void {
  chosen = phone;
  quoteNothing();
  showAll();
  text.focus();
}

function showPerson(): void {
  const one = person();
  byId("person-name", HTMLHeadingElement).textContent = one?.name ?? "";
  const facts =
    one === undefined
      ? []
      : [one.phone, one.username && `@${one.username}`, one.phoneHidden && "number hidden"];
  byId("person-facts", HTMLParagraphElement).textContent = facts.filter(Boolean).join(" · ");
  online.checked = one?.online ?? false;
  receipts.checked = one?.readReceipts ?? false;
  const expiresAt = one?.windows[0]?.expiresAt ?? 0;
  byId("window", HTMLParagraphElement).textContent =
    expiresAt > state.clock.now
      ? `The business may answer freely until ${new Date(expiresAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}.`
      : "The 24-hour window is closed: only templates reach this person.";
}

function showChat(): void {
  const messages = state.messages.filter(({ peer }) => `+${peer}` === chosen);
  const items = bubbles(state, messages, { reply: quote, react, choose: answerChoice });
  if (items.length === 0)
    items.push(element("li", { class: "empty" }, "No messages yet. Write the first one."));
  if (typingUntil > Date.now()) items.push(element("li", { class: "typing" }, "The business is typing…"));
  chat.replaceChildren(...items);
  chat.scrollTop = chat.scrollHeight;
}

/** Sends what the chosen person does; says so when it fails. */
async function act(inbound: object): Promise<void> {
  const problem = byId("problem", HTMLParagraphElement);
  problem.hidden = true;
  try {
    const reply = quoting === null ? {} : { reply_to: quoting.id };
    quoteNothing();
    await call("inbound", { from: chosen, ...reply, ...inbound });
    await loadState();
  } catch (error) {
    problem.hidden = false;
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

function quote(message: Message): void {
  quoting = message;
  const note = byId("quoting", HTMLParagraphElement);
  note.hidden = false;
  note.firstElementChild?.replaceChildren(`Reply to: ${summary(state, message)}`);
  text.focus();
}

function quoteNothing(): void {
  quoting = null;
  byId("quoting", HTMLParagraphElement).hidden = true;
}

function react(message: Message, emoji: string): void {
  void act({ type: "reaction", message_id: message.id, emoji });
}

function answerChoice(message: Message, { kind, id, title }: Choice): void {
  const answer = kind === "button" ? { text: title, payload: id } : { reply_id: id, title };
  void act({ type: kind, reply_to: message.id, ...answer });
}

function sendText(): void {
  const body = text.value;
  if (body.trim() === "") return;
  text.value = "";
  void act({ type: "text", body });
}

byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
byId("quoting", HTMLParagraphElement).querySelector("button")?.addEventListener("click", quoteNothing);
for (const one of document.querySelectorAll<HTMLButtonElement>("[data-send]")) {
  one.addEventListener("click", () => {
    const type = one.dataset["send"];
    const place = { latitude: 52.3676, longitude: 4.9041, place: "Amsterdam" };
    void act({ type, ...(type === "location" && place) });
  });
}
for (const one of document.querySelectorAll<HTMLButtonElement>("[data-advance]")) {
  one.addEventListener("click", async () => {
    one.disabled = true;
    await call("clock", { advanceMs: Number(one.dataset["advance"]) }).finally(() => {
      one.disabled = false;
    });
    await loadState();
  });
}
const setHabits = () =>
  void call("customers", { phone: chosen, online: online.checked, readReceipts: receipts.checked });
online.addEventListener("change", setHabits);
receipts.addEventListener("change", setHabits);
byId("filter", HTMLSelectElement).addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement) filterLog(event.target.value);
});
byId("newcomer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const phone = byId("newcomer-phone", HTMLInputElement);
  chosen = `+${phone.value.replace(/\D/g, "")}`;
  phone.value = "";
  void act({ type: "text", body: "Hello" });
});

const main = document.querySelector("main");
for (const one of document.querySelectorAll<HTMLButtonElement>(".switch button")) {
  one.addEventListener("click", () => {
    const view = one.dataset["view"] ?? "phone";
    if (main !== null) main.dataset["view"] = view;
    for (const other of document.querySelectorAll(".switch button")) {
      other.setAttribute("aria-pressed", String(other === one));
    }
    if (view === "log") countUnseen(0);
  });
}

function countUnseen(count: number): void {
  unseenEntries = count;
  const badge = byId("unseen", HTMLSpanElement);
  badge.hidden = count === 0;
  badge.textContent = String(count);
}

function onEvent(event: SimulatorEvent): void {
  switch (event.type) {
    case "request":
      logRequest(event.entry);
      break;
    case "delivery":
      logDelivery(event.entry);
      break;
    case "typing":
      if (`+${event.peer}` !== chosen) return;
      typingUntil = Date.now() + TYPING_MS;
      setTimeout(showChat, TYPING_MS + 100);
      showChat();
      return;
    case "message":
      if (event.message.direction === "outbound") typingUntil = 0;
      scheduleLoad();
      return;
    case "state":
      scheduleLoad();
      return;
  }
  if (main?.dataset["view"] === "phone") countUnseen(unseenEntries + 1);
}

/** Several events come together; one look at the state serves them all. */
let loadPlanned = false;
function scheduleLoad(): void {
  if (loadPlanned) return;
  loadPlanned = true;
  setTimeout(() => {
    loadPlanned = false;
    void loadState();
  }, 30);
}

async function loadLog(): Promise<void> {
  const [{ requests }, { deliveries }] = await Promise.all([
    call<{ requests: Parameters<typeof logRequest>[0][] }>("requests"),
    call<{ deliveries: Parameters<typeof logDelivery>[0][] }>("deliveries"),
  ]);
  clearLog();
  const entries = [
    ...requests.map((entry) => ({ at: entry.at, show: () => logRequest(entry) })),
    ...deliveries.map((entry) => ({ at: entry.at, show: () => logDelivery(entry) })),
  ];
  for (const { show } of entries.sort((a, b) => a.at - b.at)) show();
}

const events = new EventSource("/_sim/events");
// After a lost connection the state and the log are read anew, so that nothing is missed.
events.addEventListener("open", () => {
  void loadState();
  void loadLog();
});
events.addEventListener("message", (event: MessageEvent<string>) => onEvent(JSON.parse(event.data)));
events.addEventListener("error", () => {
  byId("callback", HTMLParagraphElement).textContent = "The simulator does not answer. Is it still running?";
});
setInterval(() => {
  state = { ...state, clock: { ...state.clock, now: state.clock.now + 1000 } };
  showTime();
}, 1000);
showAll();
