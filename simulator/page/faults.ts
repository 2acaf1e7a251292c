import { attempt } from "./acts";
import { call, type FaultEntry } from "./api";
import { ask } from "./dialogs";
import { announce, button, byId, element, iconButton, reconcile } from "./dom";
import { effectOf, FAULT_GROUPS, type FaultSwitch } from "./fault-kinds";
import { plural } from "./format";
import type { Store } from "./store";

/** The switches for everything that can go wrong, and the rules that hold now. */
export class FaultPanel {
  readonly #store: Store;
  readonly #rules = byId("fault-rules", HTMLUListElement);
  readonly #switches: readonly {
    readonly made: HTMLButtonElement;
    readonly one: FaultSwitch;
    readonly endpoint: string | undefined;
  }[];
  readonly #counts: readonly {
    readonly badge: HTMLElement;
    readonly switches: readonly FaultSwitch[];
    readonly endpoint: string | undefined;
  }[];

  constructor(store: Store) {
    this.#store = store;
    const switches: { made: HTMLButtonElement; one: FaultSwitch; endpoint: string | undefined }[] = [];
    const counts: { badge: HTMLElement; switches: readonly FaultSwitch[]; endpoint: string | undefined }[] =
      [];
    for (const { name, endpoint, switches: ones } of FAULT_GROUPS) {
      const rows = ones.map((one) => {
        const made = this.#makeSwitch(one, endpoint);
        switches.push({ made, one, endpoint });
        return element(
          "li",
          {},
          made,
          iconButton("tune", `${one.label}: parameters`, () => void this.#addWithAnswers(one, endpoint)),
        );
      });
      const badge = element("span", { class: "count", hidden: true });
      counts.push({ badge, switches: ones, endpoint });
      byId("fault-groups", HTMLDivElement).append(
        element(
          "details",
          { class: "group", open: name === "Graph calls" },
          element("summary", {}, name, badge),
          element("ul", { class: "switches" }, ...rows),
        ),
      );
    }
    this.#switches = switches;
    this.#counts = counts;
    byId("faults-clear", HTMLButtonElement).addEventListener(
      "click",
      () => void this.#change(() => call("faults", undefined, "DELETE"), "No fault rule holds any longer."),
    );
  }

  show(): void {
    const { faults } = this.#store.world;
    for (const { made, one, endpoint } of this.#switches) {
      made.setAttribute("aria-checked", String(faults.some((rule) => belongs(rule, one, endpoint))));
    }
    for (const { badge, switches, endpoint } of this.#counts) {
      const count = faults.filter((rule) => switches.some((one) => belongs(rule, one, endpoint))).length;
      badge.hidden = count === 0;
      badge.textContent = `${count} on`;
    }
    byId("faults-clear", HTMLButtonElement).hidden = faults.length === 0;
    byId("faults-none", HTMLParagraphElement).hidden = faults.length > 0;
    reconcile(
      this.#rules,
      faults.map((rule) => ({
        key: String(rule.id),
        signature: JSON.stringify(rule),
        make: () => this.#ruleItem(rule),
      })),
    );
  }

  #makeSwitch(one: FaultSwitch, endpoint: string | undefined): HTMLButtonElement {
    const face = element(
      "span",
      { class: "switch-words" },
      element("strong", {}, one.label),
      element("small", {}, one.explain),
    );
    const made = button(
      face,
      () => {
        const rules = this.#store.world.faults.filter((rule) => belongs(rule, one, endpoint));
        if (rules.length === 0) void this.#add(one, endpoint, { effect: effectOf(one) });
        else
          void this.#change(
            () => Promise.all(rules.map(({ id }) => call(`faults?id=${id}`, undefined, "DELETE"))),
            `${one.label} is off.`,
          );
      },
      {
        role: "switch",
        class: "switch-row",
        "data-kind": endpoint === undefined ? one.kind : `${endpoint} ${one.kind}`,
      },
    );
    made.append(element("span", { class: "knob", "aria-hidden": "true" }));
    return made;
  }

  async #addWithAnswers(one: FaultSwitch, endpoint: string | undefined): Promise<void> {
    const answers = await ask({
      title: one.label,
      explain: one.explain,
      submit: "Add rule",
      fields: [
        ...(one.parameters ?? []),
        {
          name: "rule-times",
          label: "How often",
          type: "number",
          min: 1,
          hint: "Empty: until it is removed",
        },
        {
          name: "rule-probability",
          label: "Probability in %",
          type: "number",
          min: 0,
          max: 100,
          hint: "Empty: always",
        },
        { name: "rule-to", label: "Only for this phone", type: "tel" },
        {
          name: "rule-type",
          label: "Only for this type or status",
          hint: "Such as text, template, delivered",
        },
        { name: "rule-text", label: "Only where the text has" },
        ...(endpoint === "webhook"
          ? [{ name: "rule-field", label: "Only for this webhook field", hint: "Such as messages" }]
          : []),
        ...(endpoint === undefined
          ? [
              {
                name: "rule-endpoint",
                label: "Only for calls whose path ends in",
                hint: "Such as messages, media",
              },
            ]
          : []),
      ],
    });
    if (answers === null) return;
    const word = (name: string) => answers.get(`rule-${name}`) ?? "";
    const match = Object.fromEntries(
      ["to", "type", "text", "field", "endpoint"]
        .map((name) => [name, word(name)])
        .filter(([, value]) => value !== ""),
    );
    await this.#add(one, endpoint, {
      match,
      effect: effectOf(one, answers),
      ...(word("times") !== "" && { times: Number(word("times")) }),
      ...(word("probability") !== "" && { probability: Number(word("probability")) / 100 }),
    });
  }

  /** Only a delay has to be told where it is meant; other kinds are possible in one place. */
  async #add(
    { kind, label }: FaultSwitch,
    endpoint: string | undefined,
    rule: { readonly match?: object; readonly effect: object },
  ): Promise<void> {
    const place = kind === "delay" && endpoint !== undefined ? { endpoint } : {};
    await this.#change(
      () => call("faults", { ...rule, match: { ...rule.match, ...place } }),
      `${label} is on.`,
    );
  }

  #ruleItem(rule: FaultEntry): HTMLElement {
    const { kind, ...parameters } = rule.effect;
    const facts = [
      ...Object.values(parameters).map((value) => [value].flat().join(" ")),
      ...Object.entries(rule.match).map(([name, value]) => `${name} ${value}`),
      rule.probability !== undefined && `${Math.round(rule.probability * 100)} %`,
      rule.times === undefined ? `used ${plural(rule.used, "time")}` : `used ${rule.used} of ${rule.times}`,
    ];
    return element(
      "li",
      { class: rule.times !== undefined && rule.used >= rule.times ? "used-up" : undefined },
      element(
        "span",
        {},
        element("strong", {}, kind.replaceAll("_", " ")),
        element("small", {}, facts.filter(Boolean).join(" · ")),
      ),
      iconButton(
        "trash",
        `Remove the rule ${kind.replaceAll("_", " ")}`,
        () => void this.#change(() => call(`faults?id=${rule.id}`, undefined, "DELETE"), "The rule is gone."),
      ),
    );
  }

  async #change(task: () => Promise<unknown>, done: string): Promise<void> {
    const worked = await attempt(async () => {
      await task();
      await this.#store.load();
    });
    if (worked) announce(done);
  }
}

function belongs(
  { effect, match }: FaultEntry,
  { kind }: FaultSwitch,
  endpoint: string | undefined,
): boolean {
  if (effect.kind !== kind) return false;
  if (kind !== "delay") return true;
  const place = match.endpoint === "webhook" || match.endpoint === "download" ? match.endpoint : undefined;
  return place === endpoint;
}
