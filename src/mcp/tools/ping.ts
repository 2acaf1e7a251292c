import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { businessShape } from "../shapes";

export const ping = defineTool({
  name: "ping",
  title: "Ping",
  description:
    "Says whether Pons and its backend answer, what this key is called, what it may do and which business numbers it " +
    "may use. Use it to check a connection, or to find a value for `from`.",
  scope: null,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  answer: z.object({
    ok: z.literal(true),
    key: z.string(),
    scopes: z.array(z.string()),
    numbers: z.array(businessShape.extend({ sending: z.enum(["active", "paused"]) })),
    server_time: z.string(),
  }),
  run: async ({ caller }) => {
    const { name, scopes, numbers } = await queryAs(caller.identity, api.mcpReads.getUsage, {});
    return {
      ok: true as const,
      key: name,
      scopes,
      numbers: numbers.map((number) => ({
        name: number.name,
        number: number.phoneNumber,
        sending: number.sending,
      })),
      server_time: new Date().toISOString(),
    };
  },
});
