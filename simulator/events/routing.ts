import { z } from "zod";
import { metaTimestamp } from "#shared/time";
import { contactOf, valueHead } from "../webhooks/payloads";
import { type EventKind, eventKind } from "./kind";

const word = z.string().min(1);
const role = z.enum(["ai_agent", "customer_service", "escalation"]);

/** Who of several apps answers a conversation (Meta: "Conversation routing"). */
export const ROUTING_KINDS: Readonly<Record<string, EventKind>> = {
  messaging_handovers: eventKind(
    {
      type: z.enum(["control_passed", "control_taken"]).default("control_passed"),
      previous_owner_role: role.default("ai_agent"),
      new_owner_role: role.default("customer_service"),
      metadata: z.string().default(""),
      summary: word.optional(),
    },
    ({ type, summary, ...control }, { simulation, number, customer }) => ({
      messaging_product: "whatsapp",
      sender: { phone_number: customer.waId },
      recipient: { phone_number_id: number.id, display_phone_number: number.digits },
      type,
      timestamp: metaTimestamp(simulation.clock.now()),
      [type]: {
        ...control,
        ...(summary !== undefined && {
          conversation_context: { type: "summary", summary: { text: summary } },
        }),
      },
    }),
  ),
  /** A read-only copy of what a customer wrote while another app has the conversation. */
  standby: eventKind({ text: z.string().default("For the other app") }, ({ text: body }, scene) => {
    const { simulation, number, customer } = scene;
    return {
      ...valueHead(number),
      standby: {
        contacts: [contactOf(customer)],
        messages: [
          {
            ...(!customer.phoneHidden && { from: customer.waId }),
            from_user_id: customer.userId,
            id: simulation.ids.wamid("inbound", customer.phone.slice(1)),
            timestamp: metaTimestamp(simulation.clock.now()),
            type: "text",
            text: { body },
          },
        ],
      },
    };
  }),
};
