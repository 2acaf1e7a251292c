import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Answer,
  type Bench,
  NUMBER,
  opensslHmac,
  type Received,
  SHEENA,
  startBench,
  WABA,
} from "../test-support";
import { DOCUMENTED_REQUESTS, type DocumentedRequest, type Given } from "./documented-requests";
import { DOCUMENTED_TEMPLATES } from "./documented-templates";
import { type FileHost, startFileHost } from "./file-host";

/** What one request led to: its answer, and its webhooks as they arrived. */
interface Outcome {
  readonly answer: Answer;
  readonly webhooks: readonly Received[];
}

const SECRET = "sim-app-secret";
const START_MS = 1_750_000_000_000;
const USER_ID = "US.13491208655302741918";

let bench: Bench;
let host: FileHost;
let outcomes: ReadonlyMap<string, Outcome>;
let given: Given;
/** The bodies of all webhooks of the two plays, in order. */
let plays: readonly (readonly string[])[];

beforeAll(async () => {
  host = await startFileHost();
  bench = await startBench();
  const first = await play();
  plays = [first.bodies, (await play()).bodies];
  outcomes = first.outcomes;
});
afterAll(async () => {
  await bench.close();
  await host.close();
});

const advance = (advanceMs: number) => bench.control("clock", { advanceMs });

/** The whole table from a fresh start, by a clock that stands still. */
async function play(): Promise<{ outcomes: Map<string, Outcome>; bodies: string[] }> {
  await bench.control("reset", { seed: "contract" });
  await bench.control("clock", { set: START_MS, frozen: true });
  bench.receiver.received.length = 0;
  for (const template of DOCUMENTED_TEMPLATES) {
    expect(await bench.graph(`/${WABA}/message_templates`, template)).toMatchObject({ status: 200 });
  }
  await advance(10_000);
  const { messageId } = (await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" })).body;
  given = {
    files: {
      image: await bench.upload("image/png"),
      video: await bench.upload("video/mp4"),
      document: await bench.upload("application/pdf"),
      audio: await bench.upload("audio/mpeg"),
      voice: await bench.upload("audio/ogg; codecs=opus"),
      sticker: await bench.upload("image/webp"),
    },
    host: host.url,
    inboundId: messageId,
    to: SHEENA,
    userId: USER_ID,
  };
  const played = new Map<string, Outcome>();
  for (const { name, body } of DOCUMENTED_REQUESTS) {
    const before = bench.receiver.received.length;
    const answer = await bench.graph(`/${NUMBER}/messages`, {
      ...body(given),
      biz_opaque_callback_data: name,
    });
    await advance(10_000);
    played.set(name, { answer, webhooks: bench.receiver.received.slice(before) });
  }
  return { outcomes: played, bodies: bench.receiver.received.map(({ bytes }) => bytes.toString("latin1")) };
}

/** Every path to a value that is no object, sorted; the positions of lists are left out. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => keysOf(item, `${path}[]`)))].sort();
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value)
    .flatMap(([key, inner]) => keysOf(inner, path === "" ? key : `${path}.${key}`))
    .sort();
}

// Meta: "Webhooks > messages > status": what stands in every status webhook of a person with a phone and a user id.
const STATUS_KEYS = [
  "entry[].changes[].field",
  "entry[].changes[].value.contacts[].profile.name",
  "entry[].changes[].value.contacts[].user_id",
  "entry[].changes[].value.contacts[].wa_id",
  "entry[].changes[].value.messaging_product",
  "entry[].changes[].value.metadata.display_phone_number",
  "entry[].changes[].value.metadata.phone_number_id",
  "entry[].changes[].value.statuses[].biz_opaque_callback_data",
  "entry[].changes[].value.statuses[].id",
  "entry[].changes[].value.statuses[].recipient_id",
  "entry[].changes[].value.statuses[].recipient_user_id",
  "entry[].changes[].value.statuses[].status",
  "entry[].changes[].value.statuses[].timestamp",
  "entry[].id",
  "object",
];
/** Since v24.0 the price comes with `sent` and `delivered`, and without a conversation. */
const PRICING_KEYS = ["billable", "category", "pricing_model", "type"].map(
  (key) => `entry[].changes[].value.statuses[].pricing.${key}`,
);

const statusOf = ({ bytes }: Received) => JSON.parse(bytes.toString()).entry[0].changes[0].value.statuses[0];

describe.each(DOCUMENTED_REQUESTS)("$name", (row: DocumentedRequest) => {
  const outcome = (): Outcome => {
    const found = outcomes.get(row.name);
    if (found === undefined) throw new Error(`${row.name} was not played.`);
    return found;
  };

  test("is answered as documented, with nothing beside it", () => {
    const { answer } = outcome();
    const isByUserId = row.name === "text to a user id";
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        messaging_product: "whatsapp",
        contacts: [
          {
            input: isByUserId ? USER_ID : SHEENA,
            wa_id: "16505551234",
            ...(isByUserId && { user_id: USER_ID }),
          },
        ],
        messages: [
          {
            id: expect.stringMatching(/^wamid\.[A-Za-z0-9+/]+=*$/),
            ...(row.category !== undefined && { message_status: "accepted" }),
          },
        ],
      },
    ]);
  });

  test(`is followed by ${row.statuses.join(", ")}`, () => {
    const { answer, webhooks } = outcome();
    expect(webhooks.map(statusOf)).toEqual(
      row.statuses.map((status) =>
        expect.objectContaining({
          id: answer.body.messages[0]?.id,
          status,
          timestamp: expect.stringMatching(/^17500\d{5}$/),
          recipient_id: "16505551234",
          recipient_user_id: USER_ID,
          biz_opaque_callback_data: row.name,
          ...((status === "sent" || status === "delivered") && {
            pricing: {
              billable: true,
              pricing_model: "PMP",
              type: "regular",
              category: row.category ?? "service",
            },
          }),
        }),
      ),
    );
  });

  test("its webhooks have the documented keys, and no others", () => {
    for (const webhook of outcome().webhooks) {
      const isPriced = ["sent", "delivered"].includes(statusOf(webhook).status);
      expect(keysOf(JSON.parse(webhook.bytes.toString()))).toEqual(
        [...STATUS_KEYS, ...(isPriced ? PRICING_KEYS : [])].sort(),
      );
      expect(webhook.headers["content-type"]).toBe("application/json");
      expect(webhook.bytes.every((byte) => byte < 128)).toBe(true);
    }
  });

  test("its webhooks are signed as OpenSSL signs them", async () => {
    const pairs = await Promise.all(
      outcome().webhooks.map(async ({ bytes, headers }) => [
        headers["x-hub-signature-256"],
        `sha256=${await opensslHmac(bytes, SECRET)}`,
      ]),
    );
    expect(pairs).toHaveLength(row.statuses.length);
    for (const [theirs, openssl] of pairs) expect(theirs).toBe(openssl);
  });
});

test("the same seed gives byte-equal webhooks", () => {
  const [first, second] = plays;
  expect(first?.length).toBeGreaterThan(DOCUMENTED_REQUESTS.length * 2);
  expect(second).toEqual(first);
});

// Meta: "Mark messages as read" and "Typing indicators".
test.each([
  ["read receipt", {}],
  ["read receipt with a typing indicator", { typing_indicator: { type: "text" } }],
])("%s is answered with success, and no webhook follows", async (_, more) => {
  const before = bench.receiver.received.length;
  const body = { messaging_product: "whatsapp", status: "read", message_id: given.inboundId, ...more };
  const answer = await bench.graph(`/${NUMBER}/messages`, body);
  expect([answer.status, answer.body]).toEqual([200, { success: true }]);
  await advance(60_000);
  expect(bench.receiver.received).toHaveLength(before);
});

// Meta: "Pricing > Free entry points": the only messages that still have a conversation.
test("an answer to somebody who came from an advertisement tells of a conversation, its end with sent alone", async () => {
  const referral = { source_url: "https://fb.me/x", source_id: "1", source_type: "ad" };
  await bench.control("inbound", { from: SHEENA, type: "text", text: "Is it there?", referral });
  const before = bench.receiver.received.length;
  await bench.send();
  await advance(10_000);
  const statuses = bench.receiver.received.slice(before).map(statusOf);
  expect(statuses.map(({ conversation }) => keysOf(conversation))).toEqual([
    ["expiration_timestamp", "id", "origin.type"],
    ["id", "origin.type"],
    ["id", "origin.type"],
  ]);
  expect(statuses[0].pricing).toEqual({
    billable: false,
    pricing_model: "PMP",
    type: "free_entry_point",
    category: "referral_conversion",
  });
});

// Meta: "Webhooks > messages > status > failed": neither contacts nor a user id, and the error object.
test("a failed message has the documented keys and a signature that OpenSSL makes, too", async () => {
  const before = bench.receiver.received.length;
  await bench.send({ to: "+16505550003", text: { body: "x" } });
  await advance(10_000);
  const [failed, ...others] = bench.receiver.received.slice(before);
  expect(others).toEqual([]);
  expect(keysOf(JSON.parse(failed?.bytes.toString() ?? ""))).toEqual([
    "entry[].changes[].field",
    "entry[].changes[].value.messaging_product",
    "entry[].changes[].value.metadata.display_phone_number",
    "entry[].changes[].value.metadata.phone_number_id",
    "entry[].changes[].value.statuses[].errors[].code",
    "entry[].changes[].value.statuses[].errors[].error_data.details",
    "entry[].changes[].value.statuses[].errors[].href",
    "entry[].changes[].value.statuses[].errors[].message",
    "entry[].changes[].value.statuses[].errors[].title",
    "entry[].changes[].value.statuses[].id",
    "entry[].changes[].value.statuses[].recipient_id",
    "entry[].changes[].value.statuses[].status",
    "entry[].changes[].value.statuses[].timestamp",
    "entry[].id",
    "object",
  ]);
  expect(failed?.headers["x-hub-signature-256"]).toBe(
    `sha256=${await opensslHmac(failed?.bytes ?? Buffer.alloc(0), SECRET)}`,
  );
});

// Meta: "Media by link": WhatsApp fetches the file after it has accepted the message.
describe("a file by link", () => {
  const failure = async (path: string, type = "image", more: object = {}) => {
    const before = bench.receiver.received.length;
    const link = path.startsWith("/") ? `${host.url}${path}` : path;
    const answer = await bench.send({ type, [type]: { link, ...more } });
    expect(answer.status).toBe(200);
    await advance(10_000);
    const [first] = bench.receiver.received.slice(before).map(statusOf);
    return first.errors?.[0] ?? first.status;
  };

  test("behind a redirection is fetched from there", async () => {
    expect(await failure("/moved.jpg")).toBe("sent");
  });

  test.each([
    ["that is not there", "/gone.jpg", "image", {}, /http code 404/],
    ["of another type", "/page.html", "image", {}, /mime type text\/html/],
    ["of a kind that is none of its own", "/plant.jpg", "video", {}, /mime type image\/jpeg/],
    ["that is too large", "/huge.jpg", "image", {}, /larger than the 5242880 bytes/],
    ["that is empty", "/empty.jpg", "image", {}, /empty/],
    ["whose host breaks off", "/broken", "image", {}, /could not be reached/],
    ["whose host does not exist", "http://127.0.0.1:1/x.jpg", "image", {}, /could not be reached/],
    ["that is no recording in Opus", "/tip.mp3", "audio", { voice: true }, /Voice mime type audio\/mpeg/],
  ])("%s fails the message later with 131053", async (_, path, type, more, details) => {
    expect(await failure(path, type, more)).toMatchObject({
      code: 131053,
      title: "Media upload error",
      error_data: { details: expect.stringMatching(details) },
    });
  });

  test("is not fetched where that is switched off", async () => {
    await bench.control("settings", { fetchLinks: false });
    expect(await failure("/gone.jpg")).toBe("sent");
    await bench.control("settings", { fetchLinks: true });
  });

  test("in the header of a template fails it, too", async () => {
    const before = bench.receiver.received.length;
    await bench.send({
      type: "template",
      template: {
        name: "with_video",
        language: { code: "en_US" },
        components: [
          { type: "header", parameters: [{ type: "video", video: { link: `${host.url}/gone.mp4` } }] },
        ],
      },
    });
    await advance(10_000);
    const statuses = bench.receiver.received.slice(before).map(statusOf);
    expect(statuses).toMatchObject([{ status: "failed", errors: [{ code: 131053 }] }]);
  });
});
