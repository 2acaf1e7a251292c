import { get, getArray, getNumber, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { BusinessNumber, NumberState } from "../world";
import type { Scene } from "./kind";

/** How long the upgrade of a number's throughput takes; Meta says up to a minute. */
const UPGRADE_MS = 60_000;

type Consequence = (value: JsonObject, scene: Scene) => void;

/** What an event about a number or an account changes in the world, by the field of its webhook. */
const CONSEQUENCES: Readonly<Record<string, Consequence>> = {
  phone_number_quality_update: (value, { simulation, number: { state } }) => {
    const now = simulation.clock.now();
    const tier = TIERS.find((known) => known === get(value, "max_daily_conversations_per_business"));
    switch (getText(value, "event")) {
      case "FLAGGED":
        Object.assign(state, { status: "FLAGGED", quality: "RED" } satisfies Partial<NumberState>);
        break;
      case "UNFLAGGED":
        Object.assign(state, { status: "CONNECTED", quality: "GREEN" } satisfies Partial<NumberState>);
        break;
      case "THROUGHPUT_UPGRADE":
        Object.assign(state, {
          throughput: "HIGH",
          maintenanceUntil: now + UPGRADE_MS,
        } satisfies Partial<NumberState>);
        break;
      default:
        if (tier !== undefined) state.tier = tier;
    }
  },
  phone_number_name_update: (value, { number }) => {
    const decision = getText(value, "decision");
    if (decision === "APPROVED") {
      number.state.nameStatus = "APPROVED";
      number.verifiedName = getText(value, "requested_verified_name") ?? number.verifiedName;
    } else number.state.nameStatus = decision === "REJECTED" ? "DECLINED" : "PENDING_REVIEW";
  },
  business_username_updates: (value, { number: { state } }) => {
    state.username =
      getText(value, "status") === "approved" ? (getText(value, "username") ?? state.username) : null;
  },
  account_update: accountUpdate,
};

const TIERS = ["TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"] as const;

/** Makes the world agree with a webhook that is about to be sent. */
export function applyConsequences(field: string, value: JsonObject, scene: Scene): void {
  const consequence = Object.hasOwn(CONSEQUENCES, field) ? CONSEQUENCES[field] : undefined;
  if (consequence === undefined) return;
  consequence(value, scene);
  scene.simulation.journal.emit({ type: "state" });
}

function accountUpdate(value: JsonObject, scene: Scene): void {
  const { simulation, waba, number } = scene;
  const ofAccount = simulation.world.numbers.filter(({ wabaId }) => wabaId === waba.id);
  switch (getText(value, "event")) {
    case "DISABLED_UPDATE": {
      const ban = getText(getObject(value, "ban_info"), "waba_ban_state");
      if (ban === "DISABLE") setStatus(ofAccount, "BANNED");
      if (ban === "REINSTATE") setStatus(ofAccount, "CONNECTED");
      break;
    }
    case "ACCOUNT_RESTRICTION":
      restrict(value, scene, ofAccount);
      break;
    case "ACCOUNT_DELETED":
      setStatus(ofAccount, "DISCONNECTED");
      break;
    case "ACCOUNT_OFFBOARDED":
      setStatus([number], "DISCONNECTED");
      break;
    case "ACCOUNT_RECONNECTED":
      setStatus([number], "CONNECTED");
  }
}

/** The numbers of the account send nothing until the last restriction ends, or the account is reinstated. */
function restrict(value: JsonObject, { simulation }: Scene, numbers: readonly BusinessNumber[]): void {
  setStatus(numbers, "RESTRICTED");
  const ends = (getArray(value, "restriction_info") ?? []).map((info) =>
    typeof info === "object" && info !== null ? getNumber({ ...info }, "expiration") : undefined,
  );
  if (ends.length === 0 || ends.includes(undefined)) return;
  const endsAt = Math.max(...ends.map((seconds) => (seconds ?? 0) * 1000));
  simulation.clock.after(Math.max(0, endsAt - simulation.clock.now()), () => {
    setStatus(
      numbers.filter(({ state }) => state.status === "RESTRICTED"),
      "CONNECTED",
    );
    simulation.journal.emit({ type: "state" });
  });
}

function setStatus(numbers: readonly BusinessNumber[], status: NumberState["status"]): void {
  for (const { state } of numbers) state.status = status;
}
