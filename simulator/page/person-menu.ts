import type { Acts } from "./acts";
import { attempt, notify } from "./acts";
import { call, type Person } from "./api";
import { ask, openMenu } from "./dialogs";
import { element } from "./dom";
import { type IconName, icon } from "./icons";
import type { Store } from "./store";

/** Everything that a person can do beside writing: with the phone, the business and the own account. */
export function openPersonMenu(anchor: HTMLElement, store: Store, person: Person, acts: Acts): void {
  const entries: readonly (readonly [IconName, string, () => unknown])[] = [
    [
      "power",
      person.online ? "Switch the phone off" : "Switch the phone on",
      () => acts.change({ online: !person.online }),
    ],
    [
      "ticks",
      person.readReceipts ? "Stop read receipts" : "Send read receipts",
      () => acts.change({ readReceipts: !person.readReceipts }),
    ],
    [
      "bell",
      person.optedOut ? "Resume promotions" : "Stop promotions",
      () => acts.change({ optedOut: !person.optedOut }),
    ],
    [
      "block",
      person.blocksUs ? "Unblock the business" : "Block the business",
      () => acts.change({ blocksUs: !person.blocksUs }),
    ],
    [
      "hidden",
      person.phoneHidden ? "Show the number" : "Hide the number behind a username",
      () => hidePhone(person, acts),
    ],
    ["edit", "Change name or username", () => rename(person, acts)],
    ["phone", "Change number", () => changeNumber(acts)],
    ["again", "Reinstall WhatsApp", () => acts.change({ newIdentity: true })],
    [
      "robot",
      person.persona === null ? "Let a script act" : `End the script “${person.persona.script}”`,
      () => chooseScript(store, person),
    ],
    ["call", "Call the business", () => callBusiness(person)],
  ];
  openMenu(
    anchor,
    person.name,
    entries.map(([name, label, run]) => ({
      label: element("span", { class: "menu-face" }, icon(name), label),
      run: () => void run(),
    })),
  );
}

async function hidePhone(person: Person, acts: Acts): Promise<void> {
  if (person.phoneHidden || person.username !== undefined) {
    await acts.change({ phoneHidden: !person.phoneHidden });
    return;
  }
  const answer = await ask({
    title: "Hide the number",
    explain: "Webhooks then carry a user id and the username, and no number.",
    submit: "Hide",
    fields: [
      {
        name: "username",
        label: "Username",
        required: true,
        hint: "3 to 35 letters, digits, dots, underscores",
      },
    ],
  });
  if (answer !== null) await acts.change({ username: answer.get("username"), phoneHidden: true });
}

async function rename(person: Person, acts: Acts): Promise<void> {
  const answer = await ask({
    title: "Name and username",
    submit: "Change",
    fields: [
      { name: "name", label: "Name", value: person.name, required: true },
      { name: "username", label: "Username", value: person.username ?? "", hint: "Empty takes it away" },
    ],
  });
  if (answer === null) return;
  const username = answer.get("username") ?? "";
  await acts.change({ name: answer.get("name"), username: username === "" ? null : username });
}

async function changeNumber(acts: Acts): Promise<void> {
  const answer = await ask({
    title: "Change number",
    explain: "WhatsApp tells the business; the chat goes on under the new number.",
    submit: "Change",
    fields: [
      {
        name: "newPhone",
        label: "New number",
        type: "tel",
        value: "+1650555",
        required: true,
        hint: "With the country, such as +16505559876",
      },
    ],
  });
  if (answer !== null) await acts.change({ newPhone: answer.get("newPhone") });
}

async function chooseScript(store: Store, person: Person): Promise<void> {
  const attach = (script: string | null) =>
    attempt(async () => {
      await call("personas", { customer: person.userId, script });
      await store.load();
    });
  if (person.persona !== null) {
    await attach(null);
    return;
  }
  await attempt(async () => {
    const { scripts } = await call<{ scripts: string[] }>("personas");
    const answer = await ask({
      title: "Let a script act",
      explain: `${person.name} then acts alone, at most 200 times.`,
      submit: "Begin",
      fields: [
        {
          name: "script",
          label: "Script",
          type: "select",
          options: scripts.map((name) => [name, name.replaceAll("_", " ")] as const),
        },
      ],
    });
    if (answer !== null) await attach(answer.get("script") ?? "");
  });
}

/** A call rings and ends; the business hears both. */
async function callBusiness({ userId, name }: Person): Promise<void> {
  const worked = await attempt(async () => {
    await call("event", { field: "calls", customer: userId, event: "connect" });
    await call("event", { field: "calls", customer: userId, event: "terminate" });
  });
  if (worked) notify(`${name} called and hung up.`);
}
