import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { jsonContent, type Resource } from "./define-resource";

export const accounts: Resource = {
  kind: "accounts",
  name: "accounts",
  title: "Business numbers",
  description: "The WhatsApp business numbers that this credential may use, and whether they can send.",
  mimeType: "application/json",
  read: async (caller) => {
    const numbers = await queryAs(caller.identity, api.mcpResources.numbers, {});
    return jsonContent({
      numbers: numbers.map(({ name, phoneNumber, sending, pausedFor, quality }) => ({
        name,
        number: phoneNumber,
        sending,
        paused_for: pausedFor,
        quality,
      })),
    });
  },
};
