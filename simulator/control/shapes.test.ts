import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bench, SHEENA, startBench } from "../test-support";
import { CONTROL_CALLS } from "./routes";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

/** At least one wrong shape for every call that takes a body or a query, and the field that is then named. */
const WRONG: readonly (readonly [call: string, input: object | string, path: string])[] = [
  ["POST reset", { seed: {} }, "seed"],
  ["POST reset", { sed: "1" }, "sed"],
  ["POST inbound", { from: SHEENA, type: "text" }, "body"],
  [
    "POST inbound",
    { from: SHEENA, type: "contacts", contacts: [{ name: {} }] },
    "contacts.0.name.formatted_name",
  ],
  ["POST webhook", {}, "payload"],
  ["POST webhook", { payload: {}, signature: "weak" }, "signature"],
  ["POST status", { messageId: "x", status: "lost" }, "status"],
  ["POST faults", { effect: { kind: "delay", ms: "soon" } }, "effect.ms"],
  ["POST faults", { effect: { kind: "drop" }, match: { form: 1 } }, "match.form"],
  ["POST clock", { advanceMs: -1 }, "advanceMs"],
  ["POST clock", { frozen: "yes" }, "frozen"],
  ["POST snapshot", {}, "version"],
  ["POST settings", { batchMs: "1" }, "batchMs"],
  ["POST templates", { template: "" }, "template"],
  ["POST templates", { template: "hello_world", event: "explode" }, "event"],
  ["POST tokens", { token: "sim-access-token", expiresInMs: -1 }, "expiresInMs"],
  ["POST customers", { phone: SHEENA, online: "yes" }, "online"],
  ["POST personas", { customer: SHEENA, script: "sleep" }, "script"],
  ["POST event", { field: "account_update", event: "NOTHING" }, "event"],
  ["POST event", { field: 5 }, "field"],
  ["POST reset", { profile: "busy" }, "profile"],
  ["POST clock", { speed: 0 }, "speed"],
  ["POST apps", { callbackUrl: "ftp://x" }, "callbackUrl"],
  ["POST apps", { fields: ["mesages"] }, "fields.0"],
  ["POST wabas", {}, "name"],
  ["POST replay", {}, "from"],
  ["POST replay", { from: 0 }, "from"],
  ["POST replay", { recording: "nonsense" }, "recording.1"],
  ["GET requests", "after=x", "after"],
  ["GET deliveries", "after=-1", "after"],
  ["GET deliveries", "before=1", "before"],
  ["GET expect", "count=many", "count"],
  ["GET expect", "conut=1", "conut"],
];

const NEITHER_BODY_NOR_QUERY: ReadonlySet<string> = new Set([
  ...["GET state", "GET faults", "DELETE faults", "GET snapshot", "GET settings", "GET personas"],
]);

const ask = (call: string, input: object | string) => {
  const [method = "", name = ""] = call.split(" ");
  return typeof input === "string"
    ? bench.control(`${name}?${input}`, undefined, method)
    : bench.control(name, input, method);
};

test.each(WRONG)("%s %j: 400 with the path %s", async (call, input, path) => {
  const answer = await ask(call, input);
  expect([answer.status, answer.body.error?.path]).toEqual([400, path]);
  expect(answer.body.error.message).toEqual(expect.any(String));
});

test("every call that takes anything has a row above", () => {
  const rows = new Set(WRONG.map(([call]) => call));
  expect(CONTROL_CALLS.filter((call) => !rows.has(call) && !NEITHER_BODY_NOR_QUERY.has(call))).toEqual([]);
});

const TAKES_BODY = CONTROL_CALLS.filter((call) => call.startsWith("POST "));

test.each(TAKES_BODY.flatMap((call) => ["[]", "null", "5", '"x"', "{"].map((body) => [call, body])))(
  "%s with %s is answered with 400",
  async (call = "", body = "") => {
    const response = await fetch(`${bench.simulator.url}/_sim/${call.split(" ")[1]}`, {
      method: "POST",
      body,
    });
    expect(response.status).toBe(400);
  },
);
