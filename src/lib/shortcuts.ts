/** Every key that does something in the inbox: read by the listener and by the help dialog, so both always agree. */
export const SHORTCUTS = [
  { action: "next", keys: ["j", "ArrowDown"], shown: ["J", "↓"], says: "Next conversation" },
  { action: "previous", keys: ["k", "ArrowUp"], shown: ["K", "↑"], says: "Previous conversation" },
  { action: "open", keys: ["Enter"], shown: ["Enter"], says: "Open the conversation" },
  { action: "filter", keys: ["/"], shown: ["/"], says: "Filter conversations" },
  { action: "compose", keys: ["r"], shown: ["R"], says: "Write a reply" },
  { action: "back", keys: ["Escape"], shown: ["Esc"], says: "Back to the list" },
  { action: "help", keys: ["?"], shown: ["?"], says: "Show these shortcuts" },
] as const;

export type ShortcutAction = (typeof SHORTCUTS)[number]["action"];

/** Keys of the message field; they need no listener of their own, but people look for them in the same place. */
export const COMPOSER_KEYS = [
  { shown: ["Enter"], says: "Send" },
  { shown: ["Shift", "Enter"], says: "New line" },
] as const;

interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
}

/**
 * The action of a key press. Combinations belong to the browser, and a key that composes a letter belongs to the
 * input method.
 */
export function shortcutOf(press: KeyPress): ShortcutAction | null {
  if (press.ctrlKey || press.metaKey || press.altKey || press.isComposing) return null;
  return SHORTCUTS.find(({ keys }) => keys.some((key) => key === press.key))?.action ?? null;
}

/** Single characters can be switched off (WCAG 2.1.4), because speech input may type them by accident. */
export function isSingleCharacter(press: Pick<KeyPress, "key">): boolean {
  return [...press.key].length === 1;
}
