import { call, type Person } from "./api";
import { announce, byId } from "./dom";
import type { Store } from "./store";

/** Does what a person does with messages; answers whether it worked. What did not is said on the page. */
export type Act = (inbound: Readonly<Record<string, unknown>>) => Promise<boolean>;

/** What one person can do. */
export interface Acts {
  /** Sends something: the body of `/_sim/inbound` without who acts. */
  readonly send: Act;
  /** Is different from now on: the body of `/_sim/customers` without who it is. */
  readonly change: Act;
}

/** The acts of one person towards the business number whose chat is open. */
export function actsOf(store: Store, who: () => Person | undefined, number: () => string | undefined): Acts {
  const post = (path: string, body: object) =>
    attempt(async () => {
      await call(path, body);
      await store.load();
    });
  // The user id says who it is, also when somebody hides the phone or moves to another.
  return {
    send: (inbound) => post("inbound", { from: who()?.userId, to: number(), ...inbound }),
    change: (change) => post("customers", { phone: who()?.userId, ...change }),
  };
}

/** Does something and says on the page what went wrong; answers whether it worked. */
export async function attempt(task: () => Promise<unknown>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** How long a notice stays, in ms: long enough to read two lines twice. */
const NOTICE_MS = 8_000;
let hideNotice: ReturnType<typeof setTimeout> | undefined;

function showProblem(text: string): void {
  showNotice(text, "problem");
}

/** Says on the page, for a while, that something was done. */
export function notify(text: string): void {
  showNotice(text, "done");
}

function showNotice(text: string, kind: "problem" | "done"): void {
  const notice = byId("notice", HTMLParagraphElement);
  notice.className = `notice ${kind}`;
  notice.textContent = text;
  notice.hidden = false;
  announce(text);
  clearTimeout(hideNotice);
  hideNotice = setTimeout(() => {
    notice.hidden = true;
  }, NOTICE_MS);
}
