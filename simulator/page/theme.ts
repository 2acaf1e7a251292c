import { byId } from "./dom";
import { type IconName, icon } from "./icons";

const KEY = "simulator-theme";
const CHOICES = ["system", "light", "dark"] as const;
type Theme = (typeof CHOICES)[number];
const ICONS: Readonly<Record<Theme, IconName>> = { system: "auto", light: "sun", dark: "moon" };

/** The colours follow the system until the button says otherwise; the choice stays with this browser. */
export function startTheme(): void {
  const button = byId("theme", HTMLButtonElement);
  const show = (theme: Theme) => {
    document.documentElement.dataset["theme"] = theme;
    button.replaceChildren(icon(ICONS[theme]));
    const label = `Colours: ${theme}`;
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  let theme: Theme = CHOICES.find((one) => one === localStorage.getItem(KEY)) ?? "system";
  show(theme);
  button.addEventListener("click", () => {
    theme = CHOICES[(CHOICES.indexOf(theme) + 1) % CHOICES.length] ?? "system";
    localStorage.setItem(KEY, theme);
    show(theme);
  });
}
