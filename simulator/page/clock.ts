import { attempt } from "./acts";
import { call, type State } from "./api";
import { ask } from "./dialogs";
import { announce, byId, element } from "./dom";
import { dateAndTime, plural, span } from "./format";
import type { LogRow } from "./log-book";
import type { Store } from "./store";

/** The clock of the simulated world: it can be pushed ahead and stopped, and says what fell due on the way. */
export class ClockPanel {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    for (const one of document.querySelectorAll<HTMLButtonElement>("[data-advance]")) {
      one.addEventListener("click", () => void this.#advance(Number(one.dataset["advance"]), one));
    }
    const custom = byId("clock-custom", HTMLButtonElement);
    custom.addEventListener("click", () => void this.#advanceByAnswer(custom));
    const change = (body: object) =>
      void attempt(async () => {
        await call("clock", body);
        await store.load();
      });
    const freeze = byId("clock-freeze", HTMLButtonElement);
    freeze.addEventListener("click", () => change({ frozen: !store.world.clock.frozen }));
    const speed = byId("clock-speed", HTMLSelectElement);
    speed.addEventListener("change", () => change({ speed: Number(speed.value) }));
  }

  show(): void {
    const { frozen, speed } = this.#store.world.clock;
    const speeds = byId("clock-speed", HTMLSelectElement);
    if (document.activeElement !== speeds) speeds.value = String(speed);
    const freeze = byId("clock-freeze", HTMLButtonElement);
    freeze.setAttribute("aria-checked", String(frozen));
    byId("clock", HTMLElement).classList.toggle("frozen", frozen);
    this.showTime();
  }

  /** The time goes on without anything else changing. */
  showTime(): void {
    const now = this.#store.now();
    const { waiting, nextAt } = this.#store.world.clock;
    for (const time of document.querySelectorAll<HTMLTimeElement>("[data-now]")) {
      time.textContent = time.dataset["now"] === "long" ? longTime(now) : dateAndTime(now);
    }
    const next = nextAt === null ? "" : `, the next in ${span(Math.max(0, nextAt - now))}`;
    byId("clock-waiting", HTMLParagraphElement).textContent =
      waiting === 0 ? "Nothing is planned." : `${plural(waiting, "thing")} planned${next}.`;
  }

  async #advanceByAnswer(anchor: HTMLButtonElement): Promise<void> {
    const answer = await ask({
      title: "Move the clock ahead",
      explain: "Windows, media links, tokens, template reviews and repeated webhooks follow.",
      submit: "Move ahead",
      fields: [
        { name: "days", label: "Days", type: "number", value: "0", min: 0, max: 60 },
        { name: "hours", label: "Hours", type: "number", value: "0", min: 0, max: 999 },
        { name: "minutes", label: "Minutes", type: "number", value: "5", min: 0, max: 9999 },
      ],
    });
    if (answer === null) return;
    const number = (name: string) => Number(answer.get(name) ?? 0);
    const ms = ((number("days") * 24 + number("hours")) * 60 + number("minutes")) * 60_000;
    await this.#advance(ms, anchor);
  }

  async #advance(advanceMs: number, anchor: HTMLButtonElement): Promise<void> {
    const before = this.#store.world;
    const count = this.#store.log.count;
    anchor.disabled = true;
    await attempt(async () => {
      await call("clock", { advanceMs });
      await this.#store.load();
      this.#tell(
        advanceMs,
        dueBetween(before, this.#store.world, this.#store.log.rows.slice(count - this.#store.log.count)),
      );
    });
    anchor.disabled = false;
    anchor.focus();
  }

  #tell(advancedMs: number, facts: readonly string[]): void {
    const list = facts.length === 0 ? ["Nothing fell due."] : facts;
    byId("clock-due", HTMLDivElement).replaceChildren(
      element("strong", {}, `Moved ahead by ${span(advancedMs)}`),
      element("ul", {}, ...list.map((fact) => element("li", {}, fact))),
    );
    announce(`The clock was moved ahead by ${span(advancedMs)}. ${list.join(" ")}`);
  }
}

function longTime(now: number): string {
  return new Date(now).toLocaleString([], {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** What is different after the clock was moved, in sentences. */
function dueBetween(before: State, after: State, rows: readonly LogRow[]): string[] {
  const webhooks = rows.filter((row) => row.kind === "webhook");
  const repeated = webhooks.filter((row) => row.entry.attempt > 1).length;
  const closed = after.customers.filter(
    (person, position) => isOpen(before, before.customers[position]) && !isOpen(after, person),
  );
  const moved = after.templates.filter(({ id, status }) =>
    before.templates.some((old) => old.id === id && old.status !== status),
  );
  const gone = before.templates.length - after.templates.length;
  const tokens = after.tokens.filter(
    (token) =>
      hasEnded(token, after) &&
      !before.tokens.some((old) => old.token === token.token && hasEnded(old, before)),
  );
  return [
    webhooks.length > 0 &&
      `${plural(webhooks.length, "webhook")} sent${repeated > 0 ? `, ${repeated} of them again` : ""}.`,
    closed.length > 0 && `The window closed for ${closed.map(({ name }) => name).join(", ")}.`,
    ...moved.map(({ name, status }) => `The template ${name} is ${status.toLowerCase()}.`),
    gone > 0 && `${plural(gone, "template")} gone.`,
    tokens.length > 0 && `${plural(tokens.length, "token")} expired.`,
  ].filter((fact) => fact !== false);
}

function isOpen(world: State, person: State["customers"][number] | undefined): boolean {
  return person?.windows.some(({ expiresAt }) => expiresAt > world.clock.now) === true;
}

function hasEnded({ expiresAt }: State["tokens"][number], world: State): boolean {
  return expiresAt !== null && expiresAt <= world.clock.now;
}
