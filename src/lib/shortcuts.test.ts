import { expect, test } from "vitest";
import { isSingleCharacter, SHORTCUTS, shortcutOf } from "./shortcuts";

const press = (key: string, fields: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  ...fields,
});

test.each(SHORTCUTS.flatMap(({ action, keys }) => keys.map((key) => [key, action] as const)))(
  "%s means %s",
  (key, action) => {
    expect(shortcutOf(press(key))).toBe(action);
  },
);

test("no key has two meanings", () => {
  const keys = SHORTCUTS.flatMap((shortcut) => [...shortcut.keys]);
  expect(new Set(keys).size).toBe(keys.length);
});

test.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }])(
  "with %j a key belongs to somebody else",
  (fields) => {
    expect(shortcutOf(press("j", fields))).toBeNull();
  },
);

test("keys that speech input could type are told apart", () => {
  expect(["j", "/", "?"].every((key) => isSingleCharacter({ key }))).toBe(true);
  expect(["ArrowDown", "Enter", "Escape"].some((key) => isSingleCharacter({ key }))).toBe(false);
});
