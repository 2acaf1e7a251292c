import { attempt } from "./acts";
import { call, type Person } from "./api";
import { avatar } from "./avatar";
import { ask } from "./dialogs";
import { byId, element, iconButton, type Keyed, reconcile } from "./dom";
import { dayName, phoneNumber, timeOfDay } from "./format";
import { type IconName, icon } from "./icons";
import { summary } from "./message-text";
import { isOnPhone, type Store } from "./store";

/** The list of everybody on WhatsApp, with what was said last. */
export class Customers {
  readonly #store: Store;
  readonly #list = byId("people", HTMLUListElement);
  readonly #search = byId("people-search", HTMLInputElement);
  readonly #choose: (position: number) => void;

  constructor(store: Store, choose: (position: number) => void) {
    this.#store = store;
    this.#choose = choose;
    this.#search.addEventListener("input", () => this.show());
    byId("newcomer", HTMLButtonElement).addEventListener("click", () => void this.#addPerson());
  }

  show(): void {
    const wanted = this.#search.value.trim().toLowerCase();
    const people = this.#store.world.customers.map((person, position) => ({ person, position }));
    const items = people
      .filter(({ person }) =>
        `${person.name} ${person.phone} ${person.username ?? ""}`.toLowerCase().includes(wanted),
      )
      .map(({ person, position }) => this.#item(person, position));
    if (items.length === 0) {
      items.push({
        key: "none",
        signature: wanted,
        make: () =>
          element(
            "li",
            { class: "empty" },
            wanted === "" ? "Nobody yet. Add a customer." : "Nobody of this name.",
          ),
      });
    }
    reconcile(this.#list, items);
  }

  #item(person: Person, position: number): Keyed {
    const chat = this.#store.chat(person);
    const last = chat.findLast((message) => message.direction === "inbound" || isOnPhone(message));
    const isOpen = this.#store.open.includes(position);
    const unread = isOpen ? 0 : this.#store.unread(person);
    const words = last === undefined ? aboutPerson(person) : summary(this.#store.world, last);
    const when = last === undefined ? "" : whenOf(last.at, this.#store.now());
    const isTyping = this.#store.isTyping(person);
    return {
      key: String(position),
      signature: JSON.stringify([
        person.name,
        person.phone,
        marksOf(person),
        words,
        when,
        unread,
        isOpen,
        isTyping,
        last?.direction,
      ]),
      make: () => {
        const chooser = element(
          "button",
          {
            type: "button",
            class: "person",
            "aria-current": isOpen ? "true" : undefined,
            "data-focus": "person",
          },
          avatar(person.name, person.online ? undefined : icon("power")),
          element(
            "span",
            { class: "person-words" },
            element(
              "span",
              { class: "person-top" },
              element("strong", {}, person.name),
              element("time", {}, when),
            ),
            element(
              "span",
              { class: "person-bottom" },
              isTyping
                ? element("span", { class: "last typing-now" }, "typing…")
                : element("span", { class: "last" }, last?.direction === "inbound" ? `You: ${words}` : words),
              ...marksOf(person).map(([name, label]) =>
                element(
                  "span",
                  { class: "mark", role: "img", "aria-label": label, title: label },
                  icon(name),
                ),
              ),
              unread > 0 &&
                element(
                  "span",
                  { class: "unread" },
                  String(unread),
                  element("span", { class: "unseen" }, " unread"),
                ),
            ),
          ),
        );
        chooser.addEventListener("click", () => this.#choose(position));
        const beside = iconButton(
          "plus",
          `Open the phone of ${person.name} beside the others`,
          () => this.#store.openPhone(position, "beside"),
          {
            class: "icon-button beside",
            hidden: isOpen,
          },
        );
        return element("li", {}, chooser, beside);
      },
    };
  }

  async #addPerson(): Promise<void> {
    const answer = await ask({
      title: "New customer",
      submit: "Add",
      fields: [
        { name: "name", label: "Name", required: true },
        {
          name: "phone",
          label: "Phone",
          type: "tel",
          value: "+1650555",
          required: true,
          hint: "Numbers that end in 555 0001 to 555 0014 behave in special ways: see the README",
        },
        { name: "username", label: "Username", hint: "Optional" },
        { name: "phoneHidden", label: "Show the username instead of the number", type: "checkbox" },
      ],
    });
    if (answer === null) return;
    const username = answer.get("username") ?? "";
    await attempt(async () => {
      const { phone } = await call<{ phone: string }>("customers", {
        phone: answer.get("phone"),
        name: answer.get("name"),
        ...(username !== "" && { username }),
        phoneHidden: answer.get("phoneHidden") === "on",
      });
      await this.#store.load();
      const position = this.#store.world.customers.findIndex((person) => person.phone === phone);
      if (position >= 0) this.#choose(position);
    });
  }
}

function aboutPerson({ phone, username, phoneHidden }: Person): string {
  return phoneHidden && username !== undefined ? `@${username}` : phoneNumber(phone);
}

function marksOf(person: Person): (readonly [IconName, string])[] {
  const marks: (readonly [IconName, string] | false)[] = [
    !person.online && ["power", "Phone is off"],
    person.blocksUs && ["block", "Has blocked the business"],
    person.optedOut && ["bell", "Wants no promotions"],
    person.phoneHidden && ["hidden", "Hides the number"],
    person.persona !== null && ["robot", `Acts by the script ${person.persona.script}`],
  ];
  return marks.filter((mark) => mark !== false);
}

function whenOf(at: number, now: number): string {
  const day = dayName(at, now);
  return day === "Today"
    ? timeOfDay(at)
    : day === "Yesterday"
      ? day
      : new Date(at).toLocaleDateString([], { day: "numeric", month: "short" });
}
