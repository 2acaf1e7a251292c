import * as z from "zod";
import { defined } from "#shared/defined";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";

/** WhatsApp documents no limit; what is longer is no name of a place. */
const PLACE_CHARS_MAX = 1_000;

export const sendLocation = defineTool({
  name: "send_location",
  title: "Send location",
  description: `Sends a place on the map to a customer, at once and for good; needs an open 24-hour window. ${SEND_ADVICE}`,
  scope: "send",
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    latitude: z.number().min(-90).max(90).describe("Degrees north."),
    longitude: z.number().min(-180).max(180).describe("Degrees east."),
    name: params.word("Name of the place.", PLACE_CHARS_MAX).optional(),
    address: params.word("Its address.", PLACE_CHARS_MAX).optional(),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { latitude, longitude, name, address } = args;
    const asked = { ...messageArgs(args), location: { latitude, longitude, ...defined({ name, address }) } };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendLocation, { ...asked, ...confirmed }),
    );
  },
});
