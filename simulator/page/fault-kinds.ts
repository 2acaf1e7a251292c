import type { FaultEffect } from "../faults";
import type { Field } from "./dialogs";

type Kind = FaultEffect["kind"];

/** A parameter of a fault, as a question and as the value that the rule gets. */
interface Parameter extends Field {
  readonly read?: "number" | "list";
}

/** One switch of the page. */
export interface FaultSwitch {
  readonly kind: Kind;
  readonly label: string;
  readonly explain: string;
  readonly parameters?: readonly Parameter[];
}

const httpStatus = (value: string): Parameter => ({
  name: "status",
  label: "HTTP status",
  type: "number",
  value,
  min: 100,
  max: 599,
  required: true,
  read: "number",
});
const errorCode = (value: string): Parameter => ({
  name: "code",
  label: "Meta's error code",
  type: "number",
  value,
  required: true,
  read: "number",
});
const delay: readonly Parameter[] = [
  {
    name: "ms",
    label: "Delay in ms",
    type: "number",
    value: "3000",
    min: 0,
    max: 604_800_000,
    required: true,
    read: "number",
  },
  {
    name: "jitterMs",
    label: "And at random up to, in ms",
    type: "number",
    min: 0,
    max: 604_800_000,
    read: "number",
  },
];
const choice = (name: string, label: string, values: readonly string[]): Parameter => ({
  name,
  label,
  type: "select",
  options: values.map((value) => [value, value.replaceAll("_", " ")] as const),
});

/** Every kind but the delay, which is possible in three places. The compiler says which one is forgotten. */
const KINDS: Readonly<Record<Exclude<Kind, "delay">, Omit<FaultSwitch, "kind">>> = {
  error: {
    label: "Error",
    explain: "Refuses the call with an error of Meta's shape",
    parameters: [
      httpStatus("500"),
      errorCode("131000"),
      { name: "subcode", label: "Subcode", type: "number", read: "number" },
    ],
  },
  html_error: {
    label: "HTML error",
    explain: "A gateway answers with a page instead of JSON",
    parameters: [httpStatus("502")],
  },
  too_many_calls: {
    label: "Too many calls",
    explain: "429 with usage headers",
    parameters: [
      httpStatus("429"),
      errorCode("80007"),
      {
        name: "minutes",
        label: "Minutes to wait",
        type: "number",
        value: "5",
        min: 0,
        required: true,
        read: "number",
      },
    ],
  },
  accept_then_drop: { label: "Accept, then drop", explain: "The message goes out; the answer never comes" },
  accept_then_error: {
    label: "Accept, then error",
    explain: "The message goes out; the answer says it failed",
    parameters: [httpStatus("500")],
  },
  reset: { label: "Reset", explain: "The connection breaks before the call is read" },
  hang: { label: "Hang", explain: "No answer, and the connection stays open" },
  paging_loop: { label: "Paging loop", explain: "The next page of a list is the page itself" },
  cursor_expired: { label: "Cursor expired", explain: "Only the first page of a list can be read" },
  media_missing: { label: "Media missing", explain: "The id of a file is not known" },
  fail_later: {
    label: "Fail later",
    explain: "Accepted, then a webhook says failed",
    parameters: [
      errorCode("131000"),
      { name: "title", label: "Title", value: "Something went wrong", required: true },
    ],
  },
  statuses: {
    label: "Statuses in this order",
    explain: "Exactly these status webhooks follow",
    parameters: [
      {
        name: "sequence",
        label: "Statuses",
        value: "read delivered sent",
        required: true,
        hint: "Of sent, delivered, read, played, failed; with spaces",
        read: "list",
      },
    ],
  },
  read_without_delivered: { label: "Read without delivered", explain: "The status delivered is left out" },
  status_first: { label: "Status before answer", explain: "The webhook overtakes the answer to the call" },
  duplicate: {
    label: "Duplicate",
    explain: "The same webhook comes again at once",
    parameters: [
      {
        name: "times",
        label: "So many more",
        type: "number",
        value: "1",
        min: 1,
        max: 100,
        required: true,
        read: "number",
      },
    ],
  },
  reorder: { label: "Reorder", explain: "The next webhook overtakes this one" },
  drop: { label: "Drop", explain: "The webhook is never sent" },
  batch: { label: "Batch", explain: "Several updates in one webhook" },
  split: { label: "Split", explain: "Each update by itself" },
  bad_signature: {
    label: "Bad signature",
    explain: "The signature does not fit the bytes",
    parameters: [choice("mode", "How", ["invalid", "missing", "sha1_only", "old"])],
  },
  malformed: { label: "Malformed", explain: "The JSON is cut off" },
  huge: {
    label: "Huge",
    explain: "Nearly Meta's largest size",
    parameters: [
      {
        name: "bytes",
        label: "Bytes more",
        type: "number",
        value: "2900000",
        min: 1,
        max: 10_000_000,
        required: true,
        read: "number",
      },
    ],
  },
  unknown_field: { label: "Unknown field", explain: "A field that nobody has heard of" },
  unknown_type: { label: "Unknown type", explain: "A message type that nobody has heard of" },
  unknown_status: { label: "Unknown status", explain: "A status that nobody has heard of" },
  missing: {
    label: "Missing part",
    explain: "A part that is usually there is not",
    parameters: [choice("part", "Which", ["contacts", "metadata", "id", "from", "timestamp", "profile"])],
  },
  integer_timestamps: { label: "Integer timestamps", explain: "Numbers where strings are usual" },
  nul: { label: "NUL character", explain: "In the text of the message" },
  lone_surrogate: { label: "Lone surrogate", explain: "Half of an emoji in the text" },
  wrong_verify_token: {
    label: "Wrong verify token",
    explain: "The handshake of a callback has another token",
  },
  expired: { label: "Link expired", explain: "The link of a file no longer works" },
  wrong_sha: { label: "Wrong digest", explain: "The bytes differ from the announced SHA-256" },
  wrong_mime: {
    label: "Wrong type",
    explain: "The file comes as another type",
    parameters: [{ name: "mimeType", label: "Type", value: "text/html", required: true }],
  },
  slow: { label: "Slow", explain: "Three seconds for each file" },
  oversize: { label: "Oversize", explain: "Two megabytes more than announced" },
  redirect: {
    label: "Redirect",
    explain: "The link leads elsewhere",
    parameters: [{ name: "to", label: "To", value: "http://169.254.169.254/", required: true }],
  },
};

interface FaultGroup {
  readonly name: string;
  /** What the rule is matched to, where a kind is possible in several places. */
  readonly endpoint?: string;
  readonly switches: readonly FaultSwitch[];
}

const of = (...kinds: Exclude<Kind, "delay">[]): FaultSwitch[] =>
  kinds.map((kind) => ({ kind, ...KINDS[kind] }));
const delayOf = (what: string): FaultSwitch => ({
  kind: "delay",
  label: "Delay",
  explain: `${what} comes later`,
  parameters: delay,
});

export const FAULT_GROUPS: readonly FaultGroup[] = [
  {
    name: "Graph calls",
    switches: [
      ...of(
        "error",
        "html_error",
        "too_many_calls",
        "accept_then_drop",
        "accept_then_error",
        "reset",
        "hang",
      ),
      delayOf("The answer"),
      ...of("paging_loop", "cursor_expired", "media_missing"),
    ],
  },
  {
    name: "Accepted messages",
    switches: of("fail_later", "statuses", "read_without_delivered", "status_first"),
  },
  {
    name: "Webhooks",
    endpoint: "webhook",
    switches: [
      ...of("duplicate", "reorder", "drop"),
      delayOf("The webhook"),
      ...of(
        "batch",
        "split",
        "bad_signature",
        "malformed",
        "huge",
        "unknown_field",
        "unknown_type",
        "unknown_status",
      ),
      ...of("missing", "integer_timestamps", "nul", "lone_surrogate", "wrong_verify_token"),
    ],
  },
  {
    name: "Media links",
    endpoint: "download",
    switches: [
      ...of("expired", "wrong_sha", "wrong_mime", "slow", "oversize", "redirect"),
      delayOf("The file"),
    ],
  },
];

/** The effect that answers of the form, or the values that stand in it at first, make. */
export function effectOf(
  { kind, parameters = [] }: FaultSwitch,
  answers?: ReadonlyMap<string, string>,
): object {
  const effect: Record<string, unknown> = { kind };
  for (const { name, value, options, read } of parameters) {
    const text = answers?.get(name) ?? value ?? options?.[0]?.[0] ?? "";
    if (text === "") continue;
    if (read === "list") effect[name] = text.split(/[\s,]+/).filter(Boolean);
    else effect[name] = read === "number" ? Number(text) : text;
  }
  return effect;
}
