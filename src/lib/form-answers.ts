/** Answers of one form that are shown; longer ones are read where they are worked on. */
const ANSWERS_MAX = 20;

/** A token of ours that travels with the form and says nothing to a person. */
const HIDDEN = new Set(["flow_token"]);

/** What a customer filled in, as words; empty when it cannot be read. Values inside values are left out. */
export function formAnswers(response: string | undefined): { name: string; value: string }[] {
  const fields = parseObject(response ?? "");
  return Object.entries(fields)
    .filter(([name]) => !HIDDEN.has(name))
    .flatMap(([name, value]) => {
      const words = Array.isArray(value)
        ? value.filter(isPlain).join(", ")
        : isPlain(value)
          ? String(value)
          : "";
      return words === "" ? [] : [{ name: readable(name), value: words }];
    })
    .slice(0, ANSWERS_MAX);
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // The customer's phone made it, so it may be anything; the message still says that a form was filled in.
    return {};
  }
}

const isPlain = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

/** `screen_0_First_name_1` as it was meant for people: First name. */
function readable(name: string): string {
  const words = name
    .replace(/^screen_\d+_/, "")
    .replace(/_\d+$/, "")
    .replaceAll("_", " ")
    .trim();
  return words === "" ? name : words.charAt(0).toLocaleUpperCase() + words.slice(1);
}
