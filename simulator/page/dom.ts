import type { IconName } from "./icons";
import { icon } from "./icons";

type Child = Node | string | null | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Makes an element. Children that are strings become text nodes, so that nothing which a customer or a business wrote
 * is ever read as HTML. An attribute that is false or undefined is left out.
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    // A state of ARIA is a word also when it is not so; an attribute of HTML is there or is not.
    if (key.startsWith("aria-") && value !== undefined) made.setAttribute(key, String(value));
    else if (value !== undefined && value !== false)
      made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A button with a task. */
export function button(
  label: string | Node,
  onClick: (event: MouseEvent) => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", onClick);
  return made;
}

/** A button that shows a picture and is called by its label, which also appears when the mouse rests on it. */
export function iconButton(
  name: IconName,
  label: string,
  onClick: (event: MouseEvent) => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  return button(icon(name), onClick, {
    "aria-label": label,
    title: label,
    class: "icon-button",
    ...attributes,
  });
}

/** The element of the page with this id and kind; the page and its script are delivered together. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`The page has no ${kind.name} called ${id}.`);
  return found;
}

/** One item of a list that is shown again and again. */
export interface Keyed {
  readonly key: string;
  /** Whatever the item's looks depend on; the same signature keeps the element, with its focus and its player. */
  readonly signature: string;
  readonly make: () => HTMLElement;
}

const signatures = new WeakMap<Element, string>();

/** Brings the children of a list in line with the items, touching only what has changed. */
export function reconcile(parent: HTMLElement, items: readonly Keyed[]): void {
  const known = new Map<string, HTMLElement>();
  for (const child of parent.children) {
    if (child instanceof HTMLElement) known.set(child.dataset["key"] ?? "", child);
  }
  let before: Element | null = null;
  for (const { key, signature, make } of items) {
    const old = known.get(key);
    known.delete(key);
    const kept = old !== undefined && signatures.get(old) === signature ? old : replaced(old, make());
    kept.dataset["key"] = key;
    signatures.set(kept, signature);
    const place: Element | null = before === null ? parent.firstElementChild : before.nextElementSibling;
    if (kept !== place) parent.insertBefore(kept, place);
    before = kept;
  }
  for (const gone of known.values()) gone.remove();
}

/** The new element in the place of the old one; what had the focus is focused again by its `data-focus`. */
function replaced(old: HTMLElement | undefined, made: HTMLElement): HTMLElement {
  if (old === undefined) return made;
  const focused = document.activeElement;
  const mark = focused instanceof HTMLElement && old.contains(focused) ? focused.dataset["focus"] : undefined;
  old.replaceWith(made);
  if (mark !== undefined) {
    for (const one of made.querySelectorAll<HTMLElement>("[data-focus]")) {
      if (one.dataset["focus"] === mark) one.focus();
    }
  }
  return made;
}

/** Tells people who listen to the page what has happened elsewhere on it. */
export function announce(text: string): void {
  byId("announcements", HTMLParagraphElement).textContent = text;
}
