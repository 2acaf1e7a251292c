import { openMenu } from "./dialogs";
import { button, element } from "./dom";

/** The ones that WhatsApp offers first. */
const QUICK = [
  ["👍", "thumbs up"],
  ["❤️", "heart"],
  ["😂", "laughing"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["🙏", "thank you"],
] as const;

const MORE = [
  ["😀", "grinning"],
  ["😊", "smiling"],
  ["😉", "winking"],
  ["😍", "in love"],
  ["🤗", "hugging"],
  ["🤔", "thinking"],
  ["😐", "neutral"],
  ["🙄", "rolling eyes"],
  ["😴", "sleeping"],
  ["😭", "crying"],
  ["😡", "angry"],
  ["🤯", "exploding head"],
  ["🥳", "partying"],
  ["😎", "cool"],
  ["🤝", "handshake"],
  ["👋", "waving"],
  ["👏", "clapping"],
  ["🙌", "raised hands"],
  ["👌", "fine"],
  ["✌️", "victory"],
  ["💪", "strong"],
  ["👀", "eyes"],
  ["👎", "thumbs down"],
  ["🔥", "fire"],
  ["✨", "sparkles"],
  ["🎉", "party popper"],
  ["💯", "hundred"],
  ["✅", "done"],
  ["❌", "cross"],
  ["❓", "question"],
  ["⏰", "alarm clock"],
  ["📦", "parcel"],
  ["🚚", "van"],
  ["🛒", "trolley"],
  ["💳", "card"],
  ["🪴", "potted plant"],
  ["🌵", "cactus"],
  ["🌷", "tulip"],
  ["☀️", "sun"],
  ["☔", "rain"],
  ["☕", "coffee"],
  ["🍕", "pizza"],
] as const;

/** The first emojis, as a row of buttons. */
export function quickEmojis(choose: (emoji: string) => void, chosen?: string): HTMLElement {
  return element("div", { class: "quick-emojis" }, ...QUICK.map((one) => emojiButton(one, choose, chosen)));
}

/** Opens all emojis beside a button. */
export function openEmojis(anchor: HTMLElement, choose: (emoji: string) => void): void {
  const grid = element(
    "div",
    { class: "emojis", role: "group", "aria-label": "Emojis" },
    ...[...QUICK, ...MORE].map((one) => emojiButton(one, choose)),
  );
  openMenu(anchor, "Emojis", [], grid);
}

function emojiButton(
  [emoji, name]: readonly [string, string],
  choose: (emoji: string) => void,
  chosen?: string,
): HTMLButtonElement {
  return button(emoji, () => choose(emoji), {
    "aria-label": name,
    title: name,
    ...(chosen !== undefined && { "aria-pressed": String(emoji === chosen) }),
  });
}
