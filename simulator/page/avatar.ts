import { element } from "./dom";
import { hashTo, initials } from "./format";

/** The round picture of somebody: the initials on a colour that is always the same for the same name. */
export function avatar(name: string, mark?: Node): HTMLElement {
  const letters = initials(name) || "#";
  const made = element(
    "span",
    { class: "avatar", "data-hue": hashTo(name, 8), "aria-hidden": "true" },
    letters,
  );
  if (mark !== undefined) made.append(element("span", { class: "avatar-mark" }, mark));
  return made;
}
