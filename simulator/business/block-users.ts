import { asObject, get, getArray, getText, type JsonObject } from "#shared/whatsapp/json";
import { invalidParameter, missing } from "../graph/graph-error";
import type { GraphResult } from "../graph/send-message";
import type { Simulation } from "../simulation";
import { type BusinessNumber, findCustomer } from "../world";

/** Meta: only people who wrote within 24 hours can be blocked. */
const BLOCKABLE_MS = 24 * 60 * 60 * 1000;
/** Meta: "Block users", size of the list. */
const BLOCKED_MAX = 64_000;

/** `GET`, `POST` and `DELETE /{phone-number-id}/block_users`. */
export function blockUsers(
  simulation: Simulation,
  number: BusinessNumber,
  method: string,
  body: JsonObject,
): GraphResult {
  const { blocked } = number.state;
  if (method === "GET") {
    return { ok: { data: [...blocked].map((waId) => ({ messaging_product: "whatsapp", wa_id: waId })) } };
  }
  if (get(body, "messaging_product") !== "whatsapp") return { failure: missing("messaging_product") };
  const users = getArray(body, "block_users");
  if (users === undefined || users.length === 0) return { failure: missing("block_users") };
  const changed: object[] = [];
  const failed: object[] = [];
  for (const user of users.map(asObject)) {
    const input = getText(user, "user") ?? getText(user, "user_id") ?? "";
    const customer = findCustomer(simulation.world, input);
    const refusal =
      customer === undefined
        ? "The person is not on WhatsApp."
        : method === "POST" && !wroteLately(simulation, customer.lastWroteAt.get(number.id))
          ? "Only people who wrote within 24 hours can be blocked."
          : method === "POST" && blocked.size >= BLOCKED_MAX
            ? "The list of blocked people is full."
            : null;
    if (customer === undefined || refusal !== null) {
      failed.push({
        input,
        ...(customer !== undefined && { wa_id: customer.waId }),
        errors: [{ message: "Failed to block/unblock", code: 139100, error_data: { details: refusal } }],
      });
      continue;
    }
    if (method === "POST") blocked.add(customer.waId);
    else blocked.delete(customer.waId);
    changed.push({ input, wa_id: customer.waId });
  }
  simulation.journal.emit({ type: "state" });
  if (changed.length === 0) {
    return {
      failure: {
        ...invalidParameter("Failed to block/unblock users"),
        code: 139100,
        message: "(#139100) Failed to block/unblock users",
      },
    };
  }
  return {
    ok: {
      messaging_product: "whatsapp",
      block_users: {
        [method === "POST" ? "added_users" : "removed_users"]: changed,
        ...(failed.length > 0 && { failed_users: failed }),
      },
    },
  };
}

function wroteLately(simulation: Simulation, wroteAt: number | undefined): boolean {
  return wroteAt !== undefined && simulation.clock.now() < wroteAt + BLOCKABLE_MS;
}
