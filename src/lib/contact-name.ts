/** A customer as the backend describes them. `name` is never blank: their own name, else @username, number or id. */
export interface Contact {
  readonly name: string;
  readonly username?: string | undefined;
  readonly phone?: string | undefined;
}

/** The name to show; a bare number is grouped for reading. */
export function contactName(contact: Contact): string {
  return contact.name === contact.phone ? formatPhone(contact.name) : contact.name;
}

/** How else the customer can be recognised, for the line below the name; undefined when the name says it already. */
export function contactDetail({ name, username, phone }: Contact): string | undefined {
  const handles = [phone && formatPhone(phone), username && `@${username}`];
  const other = handles.filter((handle) => handle && handle !== name && handle !== formatPhone(name));
  return other.length === 0 ? undefined : other.join(" · ");
}

/**
 * A number in E.164 as people read it. Only the North American plan has one grouping for all its numbers; others are
 * left as they are, because a wrong grouping reads worse than none.
 */
export function formatPhone(phone: string): string {
  const match = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone);
  return match ? `+1 ${match[1]} ${match[2]} ${match[3]}` : phone;
}

/** One or two letters for the round picture; undefined when the name has no letter (a bare number, an emoji). */
export function initials(name: string): string | undefined {
  const letters = name.split(/\s+/).flatMap((word) => {
    const letter = /\p{L}\p{M}*/u.exec(word)?.[0];
    return letter === undefined ? [] : [letter.toLocaleUpperCase()];
  });
  const first = letters[0];
  const last = letters.length > 1 ? letters.at(-1) : undefined;
  return first === undefined ? undefined : first + (last ?? "");
}

/** Whether the filter text occurs in anything that the customer is known by. Digits match however they are written. */
export function matchesContact(contact: Contact, filter: string): boolean {
  const wanted = foldCase(filter);
  if (wanted === "") return true;
  const digits = wanted.replace(/[\s+().-]/g, "");
  const isNumber = /^\d+$/.test(digits);
  if (isNumber && (contact.phone ?? "").includes(digits)) return true;
  return [contact.name, contact.username].some(
    (text) => text !== undefined && foldCase(text).includes(wanted),
  );
}

/** Lower case and without accents, so that "jose" finds "José". */
function foldCase(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase().trim();
}
