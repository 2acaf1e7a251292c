import { expect, test } from "vitest";
import { contentPreview } from "./preview";
import type { MessageContent } from "./webhook-types";

const lines: [MessageContent, string][] = [
  [{ type: "text", text: "Hi\nthere" }, "Hi there"],
  [{ type: "image" }, "Photo"],
  [{ type: "image", caption: "Look" }, "Look"],
  [{ type: "voice" }, "Voice message"],
  [{ type: "document", filename: "a.pdf" }, "a.pdf"],
  [{ type: "reaction", emoji: "👍" }, "Reacted 👍"],
  [{ type: "reaction", emoji: null }, "Took a reaction back"],
  [{ type: "location", address: "Dam 1" }, "Dam 1"],
  [{ type: "contacts", contacts: [{ name: "Ana", phones: [] }], raw: "" }, "Ana"],
  [{ type: "contacts", contacts: [], raw: "" }, "Contact"],
  [{ type: "button", text: "Thanks" }, "Thanks"],
  [{ type: "interactive", reply: "list_reply", title: "Two", raw: "" }, "Two"],
  [{ type: "order", itemCount: 1, items: [], raw: "" }, "Order"],
  [{ type: "system", body: "moved", raw: "" }, "moved"],
  [{ type: "edit", content: { type: "text", text: "new" } }, "new"],
  [{ type: "revoke" }, "Deleted a message"],
  [{ type: "unsupported", raw: "" }, "Message of a kind that is not supported"],
  [{ type: "other", label: "hologram", raw: "" }, "Message of a kind that is not supported"],
];

test.each(lines)("%j is listed as %j", (content, line) => {
  expect(contentPreview(content)).toBe(line);
});
