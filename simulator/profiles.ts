import { freshNumberState } from "./business/number-state";
import { addPerson } from "./handset/customers";
import type { Simulation } from "./simulation";
import { ACCESS_TOKEN, WABA_ID } from "./start-state";
import type { Waba } from "./world";

/** Start states that a reset can choose from. */
export const PROFILES = ["demo", "empty", "large", "expired_token", "name_pending", "banned"] as const;
export type Profile = (typeof PROFILES)[number];

/** Sizes of the profile `large`: more than one page of each list. */
const ACCOUNTS = 5;
const NUMBERS_PER_ACCOUNT = 10;
const PEOPLE = 300;
const TEMPLATES = 120;

/** Makes of the start state what the profile says; `demo` is the start state itself. */
export function applyProfile(simulation: Simulation, profile: Profile): void {
  const { world, clock } = simulation;
  const token = world.tokens.get(ACCESS_TOKEN);
  switch (profile) {
    case "demo":
      return;
    case "empty":
      world.customers.length = 0;
      world.templates.length = 0;
      return;
    case "large":
      enlarge(simulation);
      return;
    case "expired_token":
      if (token !== undefined) token.expiresAt = clock.now();
      return;
    case "name_pending":
      for (const { state } of world.numbers) {
        state.nameStatus = "PENDING_REVIEW";
        state.status = "PENDING";
      }
      return;
    case "banned":
      for (const { state } of world.numbers) state.status = "BANNED";
  }
}

/** Adds an account to the business; the start state's token may use it. */
export function addWaba({ world, ids }: Simulation, name: string): Waba {
  const waba: Waba = { id: ids.digits("waba", 15), name, subscribed: false, override: null };
  world.wabas.push(waba);
  const token = world.tokens.get(ACCESS_TOKEN);
  if (token !== undefined) token.wabaIds = [...token.wabaIds, waba.id];
  return waba;
}

function enlarge(simulation: Simulation): void {
  const { world, ids } = simulation;
  for (let account = 1; account < ACCOUNTS; account++) {
    const waba = addWaba(simulation, `Lucky Shrub ${account + 1}`);
    waba.subscribed = true;
    for (let n = 0; n < NUMBERS_PER_ACCOUNT; n++) {
      const digits = `1555079${String(account * 100 + n).padStart(4, "0")}`;
      world.numbers.push({
        id: ids.digits("number", 15),
        wabaId: waba.id,
        displayPhoneNumber: `+1 555-079-${digits.slice(-4)}`,
        digits,
        countryCode: "1",
        verifiedName: `${waba.name} no. ${n + 1}`,
        override: null,
        state: {
          ...freshNumberState(),
          status: "CONNECTED",
          codeVerification: "VERIFIED",
          nameStatus: "APPROVED",
          quality: "GREEN",
          tier: "TIER_10K",
        },
      });
    }
  }
  for (let n = 0; n < PEOPLE; n++) addPerson(simulation, `+1650556${String(n).padStart(4, "0")}`);
  const [pattern] = world.templates;
  for (let n = 0; pattern !== undefined && n < TEMPLATES; n++) {
    world.templates.push({
      ...pattern,
      id: ids.digits("template", 16),
      wabaId: WABA_ID,
      name: `greeting_${String(n + 1).padStart(3, "0")}`,
    });
  }
}
