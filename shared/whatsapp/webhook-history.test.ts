import { describe, expect, test } from "vitest";
import { readWebhook } from "./webhook";

const METADATA = { display_phone_number: "15550783881", phone_number_id: "106540352242922" };

const read = (field: string, value: object) =>
  readWebhook({ entry: [{ id: "102290129340398", changes: [{ field, value }] }] }).items;

describe("history", () => {
  const message = (more: object) => ({
    id: "wamid.H",
    timestamp: "1739230955",
    type: "text",
    text: { body: "Hi" },
    ...more,
  });
  const threads = (messages: object[], more: object = { id: "16505551234" }) => ({
    metadata: METADATA,
    history: [{ metadata: { phase: 1, chunk_order: 3, progress: 55 }, threads: [{ ...more, messages }] }],
  });

  test("a message of a thread is history, whoever wrote it", () => {
    const own = message({ from: "15550783881", to: "16505551234", history_context: { status: "READ" } });
    const theirs = message({ from: "16505551234", history_context: { status: "DELIVERED", from_me: false } });
    expect(read("history", threads([own, theirs]))).toMatchObject([
      {
        kind: "history",
        fromBusiness: true,
        status: "READ",
        phase: 1,
        chunkOrder: 3,
        progressPercent: 55,
        customer: { waId: "16505551234" },
        content: { type: "text" },
      },
      { kind: "history", fromBusiness: false, status: "DELIVERED" },
    ]);
  });

  test("a thread may name its customer without a number", () => {
    const context = { user_id: "US.1", username: "@sheena" };
    expect(read("history", threads([message({})], { id: "x-1", context }))).toMatchObject([
      { kind: "history", customer: { userId: "US.1", username: "sheena" } },
    ]);
  });

  test("media that come later are history too, never fresh messages", () => {
    const image = { from: "16505551234", id: "wamid.I", type: "image", image: { id: "24" } };
    const echo = {
      from: "15550783881",
      to: "16505551234",
      id: "wamid.E",
      type: "image",
      image: { id: "25" },
    };
    const items = read("history", { metadata: METADATA, messages: [image], message_echoes: [echo] });
    expect(items).toMatchObject([
      { kind: "history", fromBusiness: false, customer: { waId: "16505551234" } },
      { kind: "history", fromBusiness: true, customer: { waId: "16505551234" } },
    ]);
  });

  test("a spoiled message, thread or chunk leaves its neighbours alone", () => {
    const good = message({ id: "wamid.G" });
    const value = {
      metadata: METADATA,
      history: [7, { threads: [null, { id: "1", messages: [null, good] }] }],
    };
    expect(read("history", value).map((item) => item.kind)).toEqual(["other", "other", "other", "history"]);
  });
});

test("copies of a conversation that another app owns are for reading only", () => {
  const standby = {
    contacts: [{ wa_id: "16505551234", profile: { name: "Sheena" } }],
    messages: [{ id: "wamid.1", from: "16505551234", type: "text", text: { body: "x" } }],
    statuses: [{ id: "wamid.2", recipient_id: "16505551234", status: "read" }],
    message_echoes: [{ id: "wamid.3", to: "16505551234", message: { type: "text" } }],
  };
  expect(read("standby", { metadata: METADATA, standby })).toMatchObject([
    { kind: "standby", of: "message", wamid: "wamid.1", customer: { name: "Sheena" } },
    { kind: "standby", of: "echo", wamid: "wamid.3" },
    { kind: "standby", of: "status", wamid: "wamid.2" },
  ]);
});
