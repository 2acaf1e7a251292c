import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, type Stage } from "./stage";
import { playWeek, type Report } from "./week";

/** Enough that each kind of step meets each fault somewhere; `npm run test:simulate -- --seeds 1000` plays more. */
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

const reports: Report[] = [];
let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage.close();
});

test.for(SEEDS)(
  "the week of seed %i loses no message, sends none twice, none outside the window, and shows nobody's to others",
  async (seed) => {
    const report = await playWeek(seed, stage.template, stage.meta, () => undefined);
    reports.push(report);
    expect(report.steps).toBeGreaterThan(0);
  },
);

test("the weeks were real: customers wrote, messages left, engines were killed, and some outcomes stayed unknown", () => {
  const total = (what: keyof Report) => reports.reduce((sum, report) => sum + report[what], 0);
  expect(total("inbound")).toBeGreaterThan(100);
  expect(total("outbound")).toBeGreaterThan(40);
  expect(total("kills")).toBeGreaterThan(4);
  expect(total("unknown")).toBeGreaterThan(0);
});
