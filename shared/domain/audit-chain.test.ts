import { beforeAll, expect, test } from "vitest";
import { auditHash, CHAIN_START, type ChainedLine, checkChain, redactedParts } from "./audit-chain";

let lines: ChainedLine[];
beforeAll(async () => {
  lines = [];
  let anchor = CHAIN_START;
  for (let seq = 1; seq <= 4; seq++) {
    const line = {
      seq,
      prevHash: anchor.hash,
      at: 1000 + seq,
      principal: "key:k1",
      action: "message.send",
      outcome: seq === 2 ? "window_closed" : "queued",
      subject: `m${seq}`,
      salt: `salt${seq}`,
      ms: 3,
    };
    const hash = await auditHash("a1", line);
    lines.push({ ...line, hash });
    anchor = { seq, hash };
  }
});
const check = (rows: readonly ChainedLine[], from = CHAIN_START) => checkChain("a1", from, rows);
const line = (index: number) => {
  const found = lines[index];
  if (found === undefined) throw new Error("no line");
  return found;
};

test("an untouched chain holds, from its start and from any anchor", async () => {
  expect(await check(lines)).toMatchObject({ ok: true, anchor: { seq: 4 } });
  expect(await check(lines.slice(2), { seq: 2, hash: line(1).hash })).toMatchObject({ ok: true });
});

test.each([
  ["principal", "key:other"],
  ["action", "x"],
  ["outcome", "queued"],
  ["at", 1],
  ["ms", 4],
  ["subject", "m9"],
  ["tool", "send_text"],
  ["salt", "other"],
] as const)("a changed %s is found", async (field, value) => {
  const changed = lines.map((row) => (row.seq === 2 ? { ...row, [field]: value } : row));
  expect(await check(changed)).toEqual({ ok: false, seq: 2, problem: "changed" });
});

test("a line that is taken out, moved or taken from another chain is found", async () => {
  expect(await check(lines.filter(({ seq }) => seq !== 2))).toMatchObject({ ok: false, seq: 2 });
  expect(await check([line(0), line(2), line(1), line(3)])).toMatchObject({ ok: false, seq: 2 });
  expect(await checkChain("a2", CHAIN_START, lines)).toMatchObject({ ok: false, problem: "changed" });
});

test("a line whose payload was redacted still holds, and its subject cannot be guessed from what is left", async () => {
  const { subject, salt, ...rest } = line(1);
  const redacted = await redactedParts(line(1));
  const row: ChainedLine = { ...rest, redacted };
  expect(await check([line(0), row, line(2), line(3)])).toMatchObject({ ok: true });
  const guess = await redactedParts({ ...rest, subject });
  expect([subject, salt]).toEqual(["m2", "salt2"]);
  expect(guess.subject).not.toBe(redacted.subject);
  expect(await check([line(0), { ...row, redacted: guess }])).toMatchObject({ ok: false, seq: 2 });
});
