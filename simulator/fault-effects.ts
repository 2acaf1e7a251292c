import { z } from "zod";
import { SIGNATURE_MODES } from "./webhooks/signature";

const status = z.int().min(100).max(599);
/** A week, after which Meta gives up on a webhook. */
const ms = z
  .int()
  .min(0)
  .max(7 * 24 * 60 * 60 * 1000);
const sentStatus = z.enum(["sent", "delivered", "read", "played", "failed"]);

/** Parts of a webhook that real ones lack now and then. */
const PARTS = ["contacts", "metadata", "id", "from", "timestamp", "profile"] as const;

/** Bytes by which `huge` makes a webhook larger unless told otherwise; together they stay under Meta's 3 MB. */
const HUGE_BYTES = 2_900_000;

/** How long `slow` holds a file back unless told otherwise. */
const SLOW_MS = 3_000;

/** What can go wrong on purpose: on Graph calls, webhooks, handshakes and media downloads. */
export const faultEffect = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("error"),
    status: status.default(500),
    code: z.int().default(131000),
    subcode: z.int().optional(),
  }),
  z.strictObject({ kind: z.literal("html_error"), status: status.default(502) }),
  z.strictObject({
    kind: z.literal("too_many_calls"),
    status: status.default(429),
    code: z.int().default(80007),
    minutes: z.int().min(0).default(5),
  }),
  z.strictObject({ kind: z.literal("accept_then_drop") }),
  z.strictObject({ kind: z.literal("accept_then_error"), status: status.default(500) }),
  z.strictObject({ kind: z.literal("reset") }),
  z.strictObject({ kind: z.literal("hang") }),
  z.strictObject({ kind: z.literal("delay"), ms, jitterMs: ms.optional() }),
  z.strictObject({
    kind: z.literal("fail_later"),
    code: z.int().default(131000),
    title: z.string().min(1).default("Something went wrong"),
  }),
  z.strictObject({ kind: z.literal("statuses"), sequence: z.array(sentStatus).max(20) }),
  z.strictObject({ kind: z.literal("read_without_delivered") }),
  z.strictObject({ kind: z.literal("status_first") }),
  z.strictObject({ kind: z.literal("paging_loop") }),
  z.strictObject({ kind: z.literal("cursor_expired") }),
  z.strictObject({ kind: z.literal("media_missing") }),
  z.strictObject({ kind: z.literal("duplicate"), times: z.int().min(1).max(100).default(1) }),
  z.strictObject({ kind: z.literal("reorder") }),
  z.strictObject({ kind: z.literal("drop") }),
  z.strictObject({ kind: z.literal("batch") }),
  z.strictObject({ kind: z.literal("split") }),
  z.strictObject({
    kind: z.literal("bad_signature"),
    mode: z.enum(SIGNATURE_MODES).exclude(["valid"]).default("invalid"),
  }),
  z.strictObject({ kind: z.literal("malformed") }),
  z.strictObject({ kind: z.literal("huge"), bytes: z.int().min(1).max(10_000_000).default(HUGE_BYTES) }),
  z.strictObject({ kind: z.literal("unknown_field") }),
  z.strictObject({ kind: z.literal("unknown_type") }),
  z.strictObject({ kind: z.literal("unknown_status") }),
  z.strictObject({ kind: z.literal("missing"), part: z.enum(PARTS) }),
  z.strictObject({ kind: z.literal("integer_timestamps") }),
  z.strictObject({ kind: z.literal("nul") }),
  z.strictObject({ kind: z.literal("lone_surrogate") }),
  z.strictObject({ kind: z.literal("wrong_verify_token") }),
  z.strictObject({ kind: z.literal("expired") }),
  z.strictObject({ kind: z.literal("wrong_sha") }),
  z.strictObject({ kind: z.literal("wrong_mime"), mimeType: z.string().min(1).default("text/html") }),
  z.strictObject({ kind: z.literal("slow"), ms: ms.default(SLOW_MS) }),
  z.strictObject({ kind: z.literal("oversize") }),
  z.strictObject({ kind: z.literal("redirect"), to: z.string().min(1) }),
]);
export type FaultEffect = z.infer<typeof faultEffect>;

export const FAULT_KINDS = faultEffect.options.map((option) => option.shape.kind.value);

export type Place = "graph" | "webhook" | "handshake" | "download";

/** What a Graph call is about, for faults that make sense for one kind of call only. */
export type CallKind = "message" | "list" | "next_page" | "media" | "other";

/** Where each kind happens and, on the Graph, on which calls. */
const PLACES: Record<Exclude<FaultEffect["kind"], "delay">, { place: Place; calls?: readonly CallKind[] }> = {
  error: { place: "graph" },
  html_error: { place: "graph" },
  too_many_calls: { place: "graph" },
  accept_then_drop: { place: "graph" },
  accept_then_error: { place: "graph" },
  reset: { place: "graph" },
  hang: { place: "graph" },
  fail_later: { place: "graph", calls: ["message"] },
  statuses: { place: "graph", calls: ["message"] },
  read_without_delivered: { place: "graph", calls: ["message"] },
  status_first: { place: "graph", calls: ["message"] },
  paging_loop: { place: "graph", calls: ["list", "next_page"] },
  cursor_expired: { place: "graph", calls: ["next_page"] },
  media_missing: { place: "graph", calls: ["media"] },
  duplicate: { place: "webhook" },
  reorder: { place: "webhook" },
  drop: { place: "webhook" },
  batch: { place: "webhook" },
  split: { place: "webhook" },
  bad_signature: { place: "webhook" },
  malformed: { place: "webhook" },
  huge: { place: "webhook" },
  unknown_field: { place: "webhook" },
  unknown_type: { place: "webhook" },
  unknown_status: { place: "webhook" },
  missing: { place: "webhook" },
  integer_timestamps: { place: "webhook" },
  nul: { place: "webhook" },
  lone_surrogate: { place: "webhook" },
  wrong_verify_token: { place: "handshake" },
  expired: { place: "download" },
  wrong_sha: { place: "download" },
  wrong_mime: { place: "download" },
  slow: { place: "download" },
  oversize: { place: "download" },
  redirect: { place: "download" },
};

/** Whether an effect can happen here. A delay is possible everywhere; the endpoint of its rule says where it is meant. */
export function isPossible(
  effect: FaultEffect,
  place: Place,
  call: CallKind | undefined,
  endpoint: string | undefined,
): boolean {
  if (effect.kind === "delay") {
    return place === (endpoint === "webhook" || endpoint === "download" ? endpoint : "graph");
  }
  const { place: own, calls } = PLACES[effect.kind];
  return own === place && (calls === undefined || (call !== undefined && calls.includes(call)));
}
