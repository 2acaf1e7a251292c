import { button, element, iconButton } from "./dom";

/** One question of a form. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly type?: "text" | "number" | "email" | "tel" | "url" | "textarea" | "checkbox" | "select" | "hidden";
  readonly options?: readonly (readonly [value: string, label: string])[];
  readonly required?: boolean;
  readonly hint?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: string;
}

interface Form {
  readonly title: string;
  readonly explain?: string;
  readonly fields: readonly Field[];
  readonly submit: string;
  /** Shown above the fields, such as a preview. */
  readonly before?: Node;
}

/** Asks for values in a window of its own; null when it was closed without an answer. */
export function ask({ title, explain, fields, submit, before }: Form): Promise<Map<string, string> | null> {
  return new Promise((resolve) => {
    const form = element(
      "form",
      { method: "dialog" },
      explain !== undefined && element("p", { class: "quiet" }, explain),
      before,
      ...fields.map(fieldRow),
      element(
        "div",
        { class: "dialog-buttons" },
        button("Cancel", () => dialog.close()),
        element("button", { type: "submit", class: "primary" }, submit),
      ),
    );
    let answer: Map<string, string> | null = null;
    form.addEventListener("submit", () => {
      const data = new FormData(form);
      answer = new Map(fields.map(({ name }) => [name, String(data.get(name) ?? "").trim()]));
    });
    const dialog = openDialog(title, form, () => resolve(answer));
  });
}

/** Opens a window with a title, a way to close it, and something in it. Escape closes it, the focus goes back. */
export function openDialog(
  title: string,
  content: Node,
  onClose: () => void = () => undefined,
): HTMLDialogElement {
  const heading = element("h2", { id: "dialog-title" }, title);
  const dialog = element(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    element(
      "header",
      {},
      heading,
      iconButton("close", "Close", () => dialog.close()),
    ),
    content,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose();
  });
  // The window itself covers nothing but its content: a click beside it closes it.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector<HTMLElement>("form :is(input:not([type=hidden]), textarea, select)")?.focus();
  return dialog;
}

function fieldRow(field: Field): HTMLElement | null {
  const { name, label, value = "", type = "text", hint } = field;
  if (type === "hidden") return element("input", { type, name, value });
  const id = `field-${name}`;
  const shared = {
    id,
    name,
    required: field.required,
    ...(hint !== undefined && { "aria-describedby": `${id}-hint` }),
  };
  const note = hint !== undefined && element("small", { id: `${id}-hint`, class: "quiet" }, hint);
  if (type === "checkbox") {
    const box = element("input", { ...shared, type, checked: value !== "" });
    return element("div", { class: "field check" }, box, element("label", { for: id }, label), note);
  }
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    control(field, shared),
    note,
  );
}

function control(
  { value, type = "text", options = [], min, max, step }: Field,
  shared: Readonly<Record<string, string | boolean | undefined>>,
): HTMLElement {
  if (type === "select") {
    return element(
      "select",
      shared,
      ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
    );
  }
  if (type === "textarea") return element("textarea", { ...shared, rows: 4 }, value ?? "");
  return element("input", { ...shared, type, value: value ?? "", min, max, step, autocomplete: "off" });
}

interface MenuItem {
  readonly label: string | Node;
  readonly name?: string;
  readonly run: () => void;
  readonly danger?: boolean;
}

/** Opens a list of things to do beside what it belongs to. Arrows move in it, Escape and a click elsewhere close it. */
export function openMenu(
  anchor: HTMLElement,
  label: string,
  items: readonly MenuItem[],
  top?: HTMLElement,
): void {
  const buttons = items.map(({ label: text, run, danger = false }) =>
    button(
      text,
      () => {
        menu.hidePopover();
        run();
      },
      { role: "menuitem", class: danger ? "danger" : undefined },
    ),
  );
  const menu = element(
    "div",
    { popover: "auto", class: "menu" },
    top,
    element("div", { role: "menu", "aria-label": label }, ...buttons),
  );
  const focusable = () => [...menu.querySelectorAll("button")];
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = focusable();
    const at = all.findIndex((one) => one === document.activeElement);
    all[(at + step + all.length) % all.length]?.focus();
  });
  menu.addEventListener("toggle", (event) => {
    if (event instanceof ToggleEvent && event.newState === "open") return;
    const hadFocus = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.remove();
    anchor.removeAttribute("aria-expanded");
    if (hadFocus) anchor.focus();
  });
  menu.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("button") !== null) menu.hidePopover();
  });
  document.body.append(menu);
  menu.showPopover();
  anchor.setAttribute("aria-expanded", "true");
  placeBeside(menu, anchor);
  focusable()[0]?.focus();
}

const EDGE_PX = 8;

function placeBeside(menu: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const fitsBelow = from.bottom + height + EDGE_PX < window.innerHeight;
  const top = fitsBelow ? from.bottom + 4 : Math.max(EDGE_PX, from.top - height - 4);
  const left = Math.min(Math.max(EDGE_PX, from.right - width), window.innerWidth - width - EDGE_PX);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
}
