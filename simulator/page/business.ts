import type { Profile } from "../profiles";
import { attempt, notify } from "./acts";
import { call, callGraph, type State, type Template } from "./api";
import { BUSINESS_SAMPLES, type BusinessSample, text } from "./business-samples";
import { ask, openMenu } from "./dialogs";
import { byId, element, iconButton, reconcile } from "./dom";
import { drawnFile, PHOTO_SAMPLES } from "./samples";
import type { Store } from "./store";

const EVENTS = ["approve", "reject", "pause", "unpause", "disable", "archive", "unarchive"] as const;
/** The compiler says when a profile is missing here. */
const PROFILE_NAMES: Readonly<Record<Profile, string>> = {
  demo: "Six people, three templates",
  empty: "Nobody and nothing",
  large: "Hundreds of people, several accounts",
  expired_token: "The access token has expired",
  name_pending: "The name of the number is in review",
  banned: "The account is banned",
};
const PROFILES = Object.entries(PROFILE_NAMES);
const QUALITIES = ["GREEN", "YELLOW", "RED"] as const;

/** The side of the business: its number and templates, messages to try out, and the world from the start. */
export class BusinessPanel {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    const sample = byId("sample", HTMLSelectElement);
    sample.append(...BUSINESS_SAMPLES.map(({ label }, index) => element("option", { value: index }, label)));
    const words = byId("sample-text", HTMLInputElement);
    sample.addEventListener("change", () => {
      words.hidden = BUSINESS_SAMPLES[Number(sample.value)]?.label !== "Text";
    });
    byId("send-as-business", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = BUSINESS_SAMPLES[Number(sample.value)];
      if (chosen === undefined) return;
      const own = chosen.label === "Text" ? words.value.trim() : "";
      void this.#send(own === "" ? chosen : { ...chosen, message: () => text(own) });
    });
    byId("reset", HTMLButtonElement).addEventListener("click", () => void this.#reset());
  }

  show(): void {
    const { world } = this.#store;
    const to = byId("sample-to", HTMLSpanElement);
    to.textContent = this.#store.person(this.#store.open.at(-1) ?? 0)?.name ?? "";
    reconcile(
      byId("numbers", HTMLUListElement),
      world.numbers.map((number) => ({
        key: number.id,
        signature: JSON.stringify(number),
        make: () => this.#numberItem(number),
      })),
    );
    reconcile(
      byId("templates", HTMLUListElement),
      world.templates.map((template) => ({
        key: template.id,
        signature: JSON.stringify(template),
        make: () => this.#templateItem(template),
      })),
    );
    byId("seed", HTMLElement).textContent = world.seed;
  }

  async #send({ message, hasPicture }: BusinessSample): Promise<void> {
    const { world } = this.#store;
    const person = this.#store.person(this.#store.open.at(-1) ?? 0);
    const [number] = world.numbers;
    if (person === undefined || number === undefined) return;
    await attempt(async () => {
      const picture = { id: hasPicture === true ? await this.#upload(number.id) : "" };
      const body = { messaging_product: "whatsapp", to: person.phone, ...message(picture) };
      await callGraph(world, `${number.id}/messages`, JSON.stringify(body));
    });
  }

  /** Gives the Graph a picture, as a business does before it sends one; its id. */
  async #upload(numberId: string): Promise<string> {
    const [sample] = PHOTO_SAMPLES;
    if (sample === undefined) throw new TypeError("There is no sample of a picture.");
    const form = new FormData();
    form.set("messaging_product", "whatsapp");
    form.set("file", await drawnFile(sample, "photo"), "plant.jpg");
    const { id } = await callGraph<{ id: string }>(this.#store.world, `${numberId}/media`, form);
    return id;
  }

  #numberItem(number: State["numbers"][number]): HTMLElement {
    const rate = (quality: string) =>
      this.#change(() =>
        call("event", {
          field: "phone_number_quality_update",
          number: number.id,
          event: quality,
        }),
      );
    const menu = iconButton(
      "more",
      `Change ${number.displayPhoneNumber}`,
      () =>
        openMenu(menu, number.displayPhoneNumber, [
          { label: "Tell of an upgrade", run: () => void rate("UPGRADE") },
          { label: "Tell of a downgrade", run: () => void rate("DOWNGRADE") },
          { label: "Tell that it is flagged", run: () => void rate("FLAGGED") },
          { label: "Tell that it is no longer flagged", run: () => void rate("UNFLAGGED") },
        ]),
      { "aria-haspopup": "menu" },
    );
    return element(
      "li",
      {},
      element(
        "span",
        {},
        element("strong", {}, number.verifiedName),
        element("small", {}, number.displayPhoneNumber),
        element("small", {}, number.id),
      ),
      badge(number.status),
      badge(number.quality),
      menu,
    );
  }

  #templateItem(template: Template): HTMLElement {
    const change = (body: object) =>
      this.#change(() => call("templates", { template: template.id, ...body }));
    const menu = iconButton(
      "more",
      `Change the template ${template.name}`,
      () =>
        openMenu(menu, template.name, [
          ...EVENTS.map((event) => ({ label: capital(event), run: () => void change({ event }) })),
          ...QUALITIES.map((quality) => ({
            label: `Quality ${quality.toLowerCase()}`,
            run: () => void change({ quality }),
          })),
        ]),
      { "aria-haspopup": "menu" },
    );
    return element(
      "li",
      {},
      element(
        "span",
        {},
        element("strong", {}, template.name),
        element("small", {}, `${template.category.toLowerCase()} · ${template.language}`),
      ),
      badge(template.status),
      template.quality !== "UNKNOWN" && badge(template.quality),
      menu,
    );
  }

  async #reset(): Promise<void> {
    const answer = await ask({
      title: "Begin again",
      explain:
        "Messages, logs, fault rules and the clock go back to the start. The same seed gives the same ids.",
      submit: "Reset",
      fields: [
        { name: "seed", label: "Seed", value: this.#store.world.seed, required: true },
        { name: "profile", label: "World", type: "select", options: PROFILES },
      ],
    });
    if (answer === null) return;
    const worked = await this.#change(() =>
      call("reset", { seed: answer.get("seed"), profile: answer.get("profile") }),
    );
    if (worked) notify("Everything is as at the start.");
  }

  #change(task: () => Promise<unknown>): Promise<boolean> {
    return attempt(async () => {
      await task();
      await this.#store.load();
    });
  }
}

function badge(word: string): HTMLElement {
  const kinds: Readonly<Record<string, string>> = {
    GREEN: "good",
    APPROVED: "good",
    CONNECTED: "good",
    YELLOW: "fair",
    PENDING: "fair",
    PAUSED: "fair",
    IN_APPEAL: "fair",
    UNKNOWN: "none",
  };
  return element(
    "span",
    { class: `badge ${kinds[word] ?? "poor"}` },
    word.toLowerCase().replaceAll("_", " "),
  );
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
