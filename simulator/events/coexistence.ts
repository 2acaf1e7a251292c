import { z } from "zod";
import { DAY_MS, metaTimestamp } from "#shared/time";
import { valueHead } from "../webhooks/payloads";
import type { StoredMessage } from "../world";
import { type EventKind, type EventValue, eventKind, type Scene } from "./kind";

const text = z.string();
const messageId = z.string().min(1).max(512);

/** History as Meta cuts it: the last day, then up to 90 days, then up to 180 ("History sharing"). */
const PHASE_DAYS = [
  [0, 1],
  [1, 90],
  [90, 180],
] as const;
const HISTORY_MESSAGES_MAX = 500;

/** What comes from the WhatsApp Business app when a number is used there too (Meta: "Coexistence"). */
export const COEXISTENCE_KINDS: Readonly<Record<string, EventKind>> = {
  smb_message_echoes: eventKind(
    {
      type: z.enum(["text", "edit", "revoke"]).default("text"),
      text: text.optional(),
      message_id: messageId.optional(),
      id: messageId.optional(),
    },
    ({ type, text: body = "From the phone", message_id, id }, scene) => {
      const { simulation, number, customer } = scene;
      const echo = {
        ...addressOf(scene),
        id: id ?? simulation.ids.wamid("outbound", customer.phone.slice(1)),
        timestamp: metaTimestamp(simulation.clock.now()),
        type,
        ...echoContent(type, body, message_id ?? ""),
      };
      storeEcho(scene, echo.id, type, body, message_id);
      return { ...valueHead(number), message_echoes: [echo] };
    },
  ),
  history: eventKind(
    {
      phases: z.array(z.union([z.literal(0), z.literal(1), z.literal(2)])).default([0, 1, 2]),
      messagesPerThread: z.int().min(1).max(HISTORY_MESSAGES_MAX).default(2),
      /** The owner did not allow the history to be shared. */
      declined: z.boolean().default(false),
    },
    ({ phases, messagesPerThread, declined }, scene) =>
      declined
        ? { ...valueHead(scene.number), history: [{ errors: [HISTORY_DECLINED] }] }
        : phases.map((phase, index) => historyChunk(scene, phase, index, phases.length, messagesPerThread)),
  ),
  smb_app_state_sync: eventKind(
    { action: z.enum(["add", "remove"]).default("add") },
    ({ action }, { simulation, number, customer }) => {
      const [first_name = customer.name] = customer.name.split(" ");
      const names = { full_name: customer.name, first_name };
      return {
        ...valueHead(number),
        state_sync: [
          {
            type: "contact",
            contact: {
              ...(action === "add" && names),
              ...(!customer.phoneHidden && { phone_number: customer.waId }),
              user_id: customer.userId,
              ...(customer.username !== undefined && { username: customer.username }),
            },
            action,
            metadata: { timestamp: metaTimestamp(simulation.clock.now()) },
          },
        ],
      };
    },
  ),
};

const HISTORY_DECLINED = {
  code: 2593109,
  title: "History sharing is turned off by the business from the WhatsApp Business App",
  message: "History sharing is turned off by the business from the WhatsApp Business App",
  error_data: { details: "History sharing is turned off by the business from the WhatsApp Business App" },
};

function addressOf({ number, customer }: Scene): object {
  return {
    from: number.digits,
    ...(!customer.phoneHidden && { to: customer.waId }),
    to_user_id: customer.userId,
  };
}

function echoContent(type: "text" | "edit" | "revoke", body: string, originalId: string): object {
  const original_message_id = originalId;
  switch (type) {
    case "text":
      return { text: { body } };
    case "edit":
      return {
        edit: { original_message_id, message: { context: { id: originalId }, type: "text", text: { body } } },
      };
    case "revoke":
      return { revoke: { original_message_id } };
  }
}

/** The page shows what the owner wrote like anything that the business sent. */
function storeEcho(
  { simulation, number, customer }: Scene,
  id: string,
  type: string,
  body: string,
  originalId: string | undefined,
): void {
  const original = simulation.world.messages.get(originalId ?? "");
  if (type === "text") {
    const stored: StoredMessage = {
      id,
      direction: "outbound",
      numberId: number.id,
      peer: customer.phone.slice(1),
      type: "text",
      content: { body },
      at: simulation.clock.now(),
      category: "service",
      status: "sent",
    };
    simulation.putMessage(stored);
  } else if (original !== undefined) {
    if (type === "edit") Object.assign(original, { content: { body }, edited: true });
    else original.revoked = true;
    simulation.putMessage(original);
  }
}

/** One part of the history: as many messages of every customer, taken in turns, spread over the days of the phase. */
function historyChunk(
  { simulation, number }: Scene,
  phase: 0 | 1 | 2,
  index: number,
  chunks: number,
  messagesPerThread: number,
): EventValue {
  const [fromDays, toDays] = PHASE_DAYS[phase];
  const stepMs = ((toDays - fromDays) * DAY_MS) / (messagesPerThread + 1);
  const newest = simulation.clock.now() - fromDays * DAY_MS;
  const threads = simulation.world.customers.slice(0, THREADS_MAX).map((customer) => ({
    ...(customer.phoneHidden
      ? { context: { user_id: customer.userId, username: customer.username } }
      : { id: customer.waId, context: { wa_id: customer.waId, user_id: customer.userId } }),
    messages: Array.from({ length: messagesPerThread }, (_, position) => {
      const isOurs = position % 2 === 1;
      const direction = isOurs ? "outbound" : "inbound";
      return {
        ...(isOurs ? { from: number.digits } : !customer.phoneHidden && { from: customer.waId }),
        ...(isOurs && !customer.phoneHidden && { to: customer.waId }),
        id: simulation.ids.wamid(direction, customer.phone.slice(1)),
        timestamp: metaTimestamp(newest - stepMs * (messagesPerThread - position)),
        type: "text",
        text: { body: `Message ${position + 1} of phase ${phase}` },
        history_context: { status: isOurs ? "DELIVERED" : "READ", from_me: isOurs },
      };
    }),
  }));
  const progress = Math.round((100 * (index + 1)) / chunks);
  return {
    ...valueHead(number),
    history: [{ metadata: { phase, chunk_order: index + 1, progress }, threads }],
  };
}

/** Chats in one part, so that it stays under the size of a webhook. */
const THREADS_MAX = 20;
