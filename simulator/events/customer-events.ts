import { z } from "zod";
import { metaTimestamp } from "#shared/time";
import { openWindow } from "../handset/inbound-store";
import type { Simulation } from "../simulation";
import { contactOf, valueHead } from "../webhooks/payloads";
import type { BusinessNumber, Customer } from "../world";
import { type EventKind, eventKind } from "./kind";

const callId = z.string().startsWith("wacid.").optional();

/** What customers do beside writing: they choose what they want to receive, and they call. */
export const CUSTOMER_KINDS: Readonly<Record<string, EventKind>> = {
  user_preferences: eventKind(
    { value: z.enum(["stop", "resume"]) },
    ({ value }, { simulation, number, customer }) =>
      preferenceValue(simulation, number, customer, value === "stop"),
  ),
  calls: eventKind(
    {
      event: z.enum(["connect", "terminate"]),
      id: callId,
      direction: z.enum(["USER_INITIATED", "BUSINESS_INITIATED"]).default("USER_INITIATED"),
      status: z.enum(["COMPLETED", "FAILED"]).default("COMPLETED"),
      durationSeconds: z.int().min(0).default(30),
      sdp: z.string().min(1).default("v=0"),
    },
    ({ event, id, direction, status, durationSeconds, sdp }, { simulation, number, customer }) => {
      const now = simulation.clock.now();
      const isTheirs = direction === "USER_INITIATED";
      // A person who calls has turned to the business, as if by a message.
      if (isTheirs) openWindow(customer, number, now);
      const theirs = customer.phoneHidden ? undefined : customer.waId;
      const [from, to] = isTheirs ? [theirs, number.digits] : [number.digits, theirs];
      return {
        ...valueHead(number),
        contacts: [contactOf(customer)],
        calls: [
          {
            id: id ?? `wacid.${simulation.ids.secret("call")}`,
            ...(from !== undefined && { from }),
            ...(isTheirs && { from_user_id: customer.userId }),
            ...(to !== undefined && { to }),
            event,
            direction,
            timestamp: metaTimestamp(now),
            ...(event === "connect"
              ? { session: { sdp_type: "offer", sdp } }
              : {
                  status,
                  start_time: metaTimestamp(now - durationSeconds * 1000),
                  end_time: metaTimestamp(now),
                  duration: durationSeconds,
                }),
          },
        ],
      };
    },
  ),
};

/** A customer stops or resumes marketing: the world knows, and this is what the business hears. */
export function preferenceValue(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  stops: boolean,
): Readonly<Record<string, unknown>> {
  customer.optedOut = stops;
  simulation.journal.emit({ type: "state" });
  return {
    ...valueHead(number),
    contacts: [contactOf(customer)],
    user_preferences: [
      {
        ...(!customer.phoneHidden && { wa_id: customer.waId }),
        user_id: customer.userId,
        detail: `User requested to ${stops ? "stop" : "resume"} marketing messages`,
        category: "marketing_messages",
        value: stops ? "stop" : "resume",
        timestamp: Math.floor(simulation.clock.now() / 1000),
      },
    ],
  };
}
