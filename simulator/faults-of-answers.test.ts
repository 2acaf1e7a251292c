import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, changesOf, itemsOf, NUMBER, SHEENA, startBench, WABA } from "./test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const fault = async (effect: object, more: object = {}) => {
  expect((await bench.control("faults", { effect, ...more })).status).toBe(200);
};
const advance = (advanceMs = 10_000) => bench.control("clock", { advanceMs });
const inbound = (text = "Hello") => bench.control("inbound", { from: SHEENA, type: "text", text });
const statuses = () => itemsOf(bench.receiver, "statuses").map(({ status }) => status);
const firstValue = () => changesOf(bench.receiver)[0]?.value ?? {};

describe("what follows on an accepted message", () => {
  test("fail_later: accepted, then failed with the asked code", async () => {
    await fault({ kind: "fail_later", code: 131053, title: "Media upload error" });
    expect((await bench.send()).status).toBe(200);
    await advance();
    expect(itemsOf(bench.receiver, "statuses")).toMatchObject([
      { status: "failed", errors: [{ code: 131053, title: "Media upload error" }] },
    ]);
  });

  test("statuses: in the asked order, with repetitions and gaps", async () => {
    await fault({ kind: "statuses", sequence: ["read", "sent", "sent"] });
    await bench.send();
    await advance();
    expect(statuses()).toEqual(["read", "sent", "sent"]);
  });

  test("read_without_delivered", async () => {
    await fault({ kind: "read_without_delivered" });
    await bench.send();
    await advance();
    expect(statuses()).toEqual(["sent", "read"]);
  });

  test("status_first: the webhook is there before the answer", async () => {
    await fault({ kind: "status_first" });
    const sent = await bench.send();
    expect(itemsOf(bench.receiver, "statuses")[0]).toMatchObject({
      id: sent.body.messages[0]?.id,
      status: "sent",
    });
    await advance();
    expect(statuses()).toEqual(["sent", "delivered", "read"]);
  });

  test("drop, duplicate and reorder by the status", async () => {
    await fault({ kind: "drop" }, { match: { type: "sent" } });
    await fault({ kind: "duplicate", times: 1 }, { match: { type: "read" } });
    await fault({ kind: "reorder" }, { match: { type: "delivered" } });
    await bench.send();
    await advance();
    await bench.receiver.arrived(3);
    expect(statuses()).toEqual(["read", "read", "delivered"]);
  });
});

describe("answers of the Graph", () => {
  test("too_many_calls: with the headers that say how much is used and when to come back", async () => {
    await fault({ kind: "too_many_calls", minutes: 7 });
    const answer = await bench.graph(`/${WABA}/message_templates`);
    expect([answer.status, answer.body.error.code]).toEqual([429, 80007]);
    const usage = JSON.parse(answer.headers.get("x-business-use-case-usage") ?? "");
    expect(usage[WABA][0]).toMatchObject({ call_count: 100, estimated_time_to_regain_access: 7 });
    expect(JSON.parse(answer.headers.get("x-app-usage") ?? "")).toMatchObject({ call_count: 100 });
  });

  test("error with a subcode: the token ends in the middle of a run", async () => {
    await fault({ kind: "error", status: 401, code: 190, subcode: 463 });
    expect((await bench.send()).body.error).toMatchObject({ code: 190, error_subcode: 463 });
  });

  test("paging_loop: the next page is this page", async () => {
    await fault({ kind: "paging_loop" });
    const answer = await bench.graph(`/${WABA}/message_templates?limit=1`);
    expect(answer.body.paging.next).toContain(`/${WABA}/message_templates?limit=1`);
    expect(answer.body.paging.next).not.toContain("after=");
  });

  test("cursor_expired: the first page comes, the second does not", async () => {
    await fault({ kind: "cursor_expired" });
    const first = await bench.graph(`/${WABA}/message_templates?limit=1`);
    const next = new URL(first.body.paging.next ?? "");
    const second = await bench.graph(`${next.pathname.replace("/v25.0", "")}${next.search}`);
    expect([first.status, second.status, second.body.error.code]).toEqual([200, 400, 100]);
  });

  test("media_missing: a file that was announced is not there yet", async () => {
    await bench.control("inbound", { from: SHEENA, type: "image" });
    const [file] = (await bench.control("state")).body.media;
    await fault({ kind: "media_missing" }, { times: 1 });
    expect((await bench.graph(`/${file?.id}`)).status).toBe(404);
    expect((await bench.graph(`/${file?.id}`)).status).toBe(200);
    await fault({ kind: "wrong_mime", mimeType: "text/html" });
    const { url } = (await bench.graph(`/${file?.id}`)).body;
    const download = await fetch(url, { headers: { authorization: "Bearer sim-access-token" } });
    expect(download.headers.get("content-type")).toBe("text/html");
  });

  test("delay with jitter, and a match on the text", async () => {
    await fault({ kind: "delay", ms: 20, jitterMs: 30 }, { match: { text: "slowly" } });
    const started = performance.now();
    await bench.send({ type: "text", text: { body: "go slowly" } });
    expect(performance.now() - started).toBeGreaterThanOrEqual(19);
  });
});

describe("what webhooks hold", () => {
  test("missing, of each part", async () => {
    for (const part of ["contacts", "metadata"]) {
      await fault({ kind: "missing", part }, { times: 1 });
      await inbound();
      expect(changesOf(bench.receiver).at(-1)?.value).not.toHaveProperty(part);
    }
    for (const part of ["id", "from", "timestamp"]) {
      await fault({ kind: "missing", part }, { times: 1 });
      await inbound();
      expect(itemsOf(bench.receiver, "messages").at(-1)).not.toHaveProperty(part);
    }
    await fault({ kind: "missing", part: "profile" }, { times: 1 });
    await inbound();
    const contact = itemsOf(bench.receiver, "contacts").at(-1);
    expect(contact).toHaveProperty("wa_id");
    expect(contact).not.toHaveProperty("profile");
  });

  test("integer_timestamps", async () => {
    await fault({ kind: "integer_timestamps" });
    await inbound();
    expect(itemsOf(bench.receiver, "messages")[0]?.["timestamp"]).toEqual(expect.any(Number));
  });

  test("nul and lone_surrogate, as escapes in valid JSON", async () => {
    await fault({ kind: "nul" });
    await fault({ kind: "lone_surrogate" });
    await inbound();
    expect(bench.receiver.received[0]?.bytes.toString()).toContain('"body":"Hello\\u0000\\ud83d"');
  });

  test("unknown_field, unknown_type, unknown_status", async () => {
    await fault({ kind: "unknown_field" }, { times: 1 });
    await inbound();
    expect(changesOf(bench.receiver)[0]?.field).toBe("quantum_update");
    await fault({ kind: "unknown_type" }, { match: { type: "text" } });
    await inbound();
    expect(itemsOf(bench.receiver, "messages").at(-1)).toMatchObject({
      type: "hologram",
      hologram: { body: "Hello" },
    });
    await fault({ kind: "unknown_status" }, { match: { field: "messages", type: "sent" } });
    await bench.send();
    await advance();
    expect(statuses()).toEqual(["teleported", "delivered", "read"]);
  });

  test("huge: nearly as large as Meta sends", async () => {
    await fault({ kind: "huge" });
    await inbound();
    const size = bench.receiver.received[0]?.bytes.length ?? 0;
    expect([size > 2_900_000, size < 3 * 1024 * 1024]).toEqual([true, true]);
    expect(firstValue()).toHaveProperty("messages");
  });

  test("malformed: signed, and no JSON", async () => {
    await fault({ kind: "malformed" }, { times: 1 });
    await inbound();
    const [first] = bench.receiver.received;
    expect(() => JSON.parse(first?.bytes.toString() ?? "")).toThrow();
    expect(first?.headers["x-hub-signature-256"]).toBeDefined();
  });

  test.each([
    ["missing", [undefined, undefined]],
    ["sha1_only", [undefined, expect.stringMatching(/^sha1=/)]],
    ["old", [expect.stringMatching(/^sha256=/), expect.stringMatching(/^sha1=/)]],
  ])("bad_signature: %s", async (mode, expected) => {
    await fault({ kind: "bad_signature", mode });
    await inbound();
    const headers = bench.receiver.received[0]?.headers ?? {};
    expect([headers["x-hub-signature-256"], headers["x-hub-signature"]]).toEqual(expected);
  });

  test("split: goes alone although others are gathered", async () => {
    await bench.control("settings", { batchMs: 5_000 });
    await fault({ kind: "split" }, { times: 1 });
    await inbound("alone");
    await inbound("gathered");
    expect(bench.receiver.received).toHaveLength(1);
    await advance();
    expect(bench.receiver.received).toHaveLength(2);
  });

  test("faults add up", async () => {
    await fault({ kind: "missing", part: "contacts" });
    await fault({ kind: "integer_timestamps" });
    await fault({ kind: "duplicate", times: 1 });
    await inbound();
    const values = changesOf(bench.receiver).map(({ value }) => Object.keys(value).includes("contacts"));
    expect(values).toEqual([false, false]);
    expect(itemsOf(bench.receiver, "messages")[1]?.["timestamp"]).toEqual(expect.any(Number));
  });
});

test("wrong_verify_token: the handshake asks with another one", async () => {
  await fault({ kind: "wrong_verify_token" }, { times: 1 });
  const subscribe = () =>
    bench.graph(`/${WABA}/subscribed_apps`, {
      override_callback_uri: bench.receiver.url,
      verify_token: "sim-verify-token",
    });
  expect((await subscribe()).body.error.code).toBe(2200);
  expect((await subscribe()).status).toBe(200);
});

describe("the header X-Sim-Fault", () => {
  const sendWith = (header: string) =>
    bench.graph(
      `/${NUMBER}/messages`,
      { messaging_product: "whatsapp", to: SHEENA, type: "text", text: { body: "x" } },
      {
        headers: {
          authorization: "Bearer sim-access-token",
          "content-type": "application/json",
          "x-sim-fault": header,
        },
      },
    );

  test("asks for a fault on this call alone: by name, as JSON, or several", async () => {
    expect((await sendWith("html_error")).text).toContain("<html>");
    expect((await sendWith('{"kind":"error","status":400,"code":131056}')).body.error.code).toBe(131056);
    const several = '[{"kind":"delay","ms":5},{"kind":"error","code":131016,"status":503}]';
    expect((await sendWith(several)).status).toBe(503);
    expect((await bench.send()).status).toBe(200);
  });

  test.each(["explode", "duplicate", "{", "cursor_expired", '{"kind":"delay"}'])(
    "%s is refused",
    async (header) => {
      expect((await sendWith(header)).body.error).toMatchObject({ path: "x-sim-fault" });
    },
  );
});
