import { call, type State } from "./api";
import { BusinessPanel } from "./business";
import { showCallback } from "./callback";
import { ClockPanel } from "./clock";
import { Customers } from "./customers";
import { byId, element } from "./dom";
import { FaultPanel } from "./faults";
import { icon } from "./icons";
import { Log } from "./log";
import { Phone } from "./phone";
import { Store } from "./store";
import { startTheme } from "./theme";

startTheme();
const body = document.body;

/** Which part is seen where there is room for one only. */
function look(view: string): void {
  body.dataset["view"] = view;
  for (const one of document.querySelectorAll<HTMLButtonElement>("[data-look]")) {
    // Beside phones the log is seen until the controls are asked for.
    const isBeside = one.closest(".side-switch") !== null;
    const isSeen =
      one.dataset["look"] === view || (isBeside && one.dataset["look"] === "log" && view === "phones");
    one.setAttribute("aria-pressed", String(isSeen));
  }
}

for (const one of document.querySelectorAll<HTMLButtonElement>("[data-look]")) {
  one.addEventListener("click", () => {
    look(one.dataset["look"] ?? "phones");
    countNews();
  });
}
for (const place of document.querySelectorAll<HTMLElement>("[data-icon]")) {
  const name = place.dataset["icon"];
  if (name === "phone" || name === "log" || name === "controls" || name === "plus") place.prepend(icon(name));
}

/** The simulator may start after the page: it is asked until it answers. */
async function firstWorld(): Promise<State> {
  for (;;) {
    try {
      return await call<State>("state");
    } catch {
      byId("lost", HTMLDivElement).hidden = false;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

const store = new Store(await firstWorld());
const phones = byId("phones", HTMLElement);
const shown = new Map<number, Phone>();
const customers = new Customers(store, (position) => {
  store.openPhone(position, "instead");
  body.classList.add("in-phone");
  showAll();
  shown.get(position)?.focus();
});
const log = new Log(store);
const faults = new FaultPanel(store);
const clock = new ClockPanel(store);
const business = new BusinessPanel(store);

function showPhones(): void {
  for (const [position, phone] of shown) {
    if (store.open.includes(position) && store.person(position) !== undefined) continue;
    phone.root.remove();
    shown.delete(position);
  }
  const isEmpty = store.world.customers.length === 0;
  byId("no-phone", HTMLParagraphElement).hidden = !isEmpty;
  for (const position of isEmpty ? [] : store.open) {
    const phone = shown.get(position) ?? new Phone(store, position, () => body.classList.remove("in-phone"));
    if (!shown.has(position)) {
      shown.set(position, phone);
      phones.append(phone.root);
    }
    phone.show();
  }
  body.dataset["phones"] = String(Math.min(3, store.open.length));
}

let countedUntil = 0;
function countNews(): void {
  if (body.dataset["view"] === "log" || countedUntil > store.log.count) countedUntil = store.log.count;
  const news = store.log.count - countedUntil;
  const badge = byId("log-news", HTMLSpanElement);
  badge.hidden = news === 0;
  badge.replaceChildren(news > 99 ? "99+" : String(news), element("span", { class: "unseen" }, " new"));
}

function showAll(): void {
  body.classList.toggle("lost", store.connection === "lost");
  byId("lost", HTMLDivElement).hidden = store.connection !== "lost";
  showPhones();
  customers.show();
  log.show();
  faults.show();
  clock.show();
  business.show();
  showCallback(store);
  countNews();
  const number = store.world.numbers[0];
  byId("number", HTMLSpanElement).textContent =
    number === undefined ? "" : `${number.verifiedName} · ${number.displayPhoneNumber}`;
}

store.listen(showAll);
store.connect();
setInterval(() => {
  clock.showTime();
  for (const phone of shown.values()) phone.showTime();
}, 1000);
document.addEventListener("keydown", (event) => {
  const target = event.target;
  const isWriting = target instanceof HTMLElement && target.matches("input, textarea, select");
  if (
    event.key !== "/" ||
    isWriting ||
    document.querySelector("dialog[open], [popover]:popover-open") !== null
  )
    return;
  event.preventDefault();
  look("log");
  byId("log-search", HTMLInputElement).focus();
});
look("phones");
showAll();
body.classList.remove("loading");
