import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Exchange } from "./exchange";

/** What a person is asked, and the token under which their answer is known. */
export type Question = { token: string; message: string };

/** Instead of an answer: the person has to be asked first. */
export type Asking = { asking: Question };

/** What a tool knows about asking: whether the client can put a question to a person, and what they said already. */
export type Confirming = {
  canAsk: boolean;
  answered?: { token: string; answer: Answer } | undefined;
};

/** What a person made of a question: dismissed is everything that is neither a yes nor a no. */
export type Answer = "accepted" | "declined" | "dismissed";

type McpRequest = ServerContext["mcpReq"];

/** The name of our one question in the protocol's map of them. */
const CONFIRM = "confirm";

/** Clients that say nothing of the kinds they can show can show forms (MCP 2025-11-25, elicitation capability). */
const elicitation = z
  .looseObject({ form: z.unknown().optional(), url: z.unknown().optional() })
  .transform(({ form, url }) => form !== undefined || url === undefined)
  .catch(false);

/** Whether a client that declares this `elicitation` capability can show a form. */
export const canElicit = (capability: unknown): boolean => elicitation.parse(capability);

/** A yes that has to be given: a client that accepts whatever it is shown, with defaults, has not asked anybody. */
const FORM = {
  type: "object" as const,
  properties: { send: { type: "boolean" as const, title: "Send this message" } },
  required: ["send"],
};

const elicited = z.looseObject({
  action: z.string(),
  content: z.looseObject({ send: z.boolean().optional() }).nullish().catch(undefined),
});

/** What the result of an elicitation says. */
export function answerOf(result: unknown): Answer {
  const { action, content } = elicited.safeParse(result).data ?? {};
  if (action === "accept") return content?.send === true ? "accepted" : "declined";
  return action === "decline" ? "declined" : "dismissed";
}

/** The parameters of the protocol's request to ask a person. */
export const elicitParams = ({ message }: Question) => ({
  mode: "form" as const,
  message,
  requestedSchema: FORM,
});

/** What a call may assume about asking, by what the client declared and by what came back with a repeated call. */
export function confirmingOf({ server }: McpServer, { ask }: Exchange, request: McpRequest): Confirming {
  const { [CLIENT_CAPABILITIES_META_KEY]: declared = server.getClientCapabilities() } =
    envelope.parse(request.envelope) ?? {};
  return { canAsk: ask !== undefined || canElicit(declared?.elicitation), answered: answeredIn(request) };
}

/** In the newer protocol each request says what its client can do. */
const envelope = z
  .looseObject({
    [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({ elicitation: z.unknown().optional() }).optional(),
  })
  .optional();

function answeredIn({ inputResponses, requestState }: McpRequest): Confirming["answered"] {
  const token: unknown = requestState();
  const response = inputResponse(inputResponses, CONFIRM);
  if (typeof token !== "string" || response.kind !== "elicit") return undefined;
  return { token, answer: answerOf(response) };
}

/**
 * Ends the call for now: the client asks the person and repeats it. The state that travels with it is the token, which
 * the backend has signed for exactly this send.
 */
export function askFirst(question: Question): InputRequiredResult {
  return inputRequired({
    inputRequests: { [CONFIRM]: inputRequired.elicit(elicitParams(question)) },
    requestState: question.token,
  });
}

export const isAsking = (result: object): result is Asking => "asking" in result;
