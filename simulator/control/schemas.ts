import { z } from "zod";
import { SCRIPT_NAMES } from "../handset/scripts";
import { PROFILES } from "../profiles";
import { WEBHOOK_FIELDS } from "../webhooks/fields";
import { SIGNATURE_MODES } from "../webhooks/signature";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

export const resetBody = z.strictObject({
  seed: z
    .union([z.string().min(1), z.number()])
    .transform(String)
    .optional(),
  profile: z.enum(PROFILES).optional(),
});

/** A business account of the first business, which the start state's token may use. */
export const wabaBody = z.strictObject({ name: z.string().min(1).max(200) });

/** Another app, with a secret and a token of its own. */
export const appBody = z.strictObject({
  name: z.string().min(1).max(200).default("Another app"),
  secret: z.string().min(1).max(200).optional(),
  /** Its callback, which must answer the handshake. */
  callbackUrl: z.url({ protocol: /^https?$/ }).optional(),
  verifyToken: z.string().default("sim-verify-token"),
  fields: z.array(z.enum(WEBHOOK_FIELDS)).min(1).optional(),
  /** Accounts that it may use and listens to. */
  wabaIds: z.array(z.string().min(1)).min(1).optional(),
});

/** Deliveries of the log by their numbers, or those of a recording (the lines that `--record` writes). */
export const replayBody = z
  .strictObject({
    from: z.int().min(1).optional(),
    to: z.int().min(1).optional(),
    recording: z.string().min(1).optional(),
    /** In an order of chance, which the seed decides. */
    shuffle: z.boolean().default(false),
  })
  .refine(({ from, recording }) => (from === undefined) !== (recording === undefined), {
    path: ["from"],
    error: "give either a range of the log or a recording",
  });

export const webhookBody = z.strictObject({
  /** A string is sent byte for byte; anything else as Meta would write it. */
  payload: z.unknown().refine((payload) => payload !== undefined, "is required"),
  signature: z.enum(SIGNATURE_MODES).default("valid"),
});

export const statusBody = z.strictObject({
  messageId: z.string().min(1),
  status: z.enum(["sent", "delivered", "read", "played", "failed"]),
  error: z
    .union([
      z.int().transform((code) => ({ code, title: "Message failed" })),
      z.looseObject({
        code: z.int(),
        title: z.string().default("Message failed"),
        details: z.string().optional(),
      }),
    ])
    .optional(),
});

/** At most so far ahead in one step: a template is gone 30 days after its deletion, and twice that is enough. */
const ADVANCE_MS_MAX = 60 * 24 * 60 * 60 * 1000;

/** A day in less than a second and a half; faster, and real answers would come days late. */
const SPEED_MAX = 60_000;

/** First the time that is set, then whether it stands still, then how far it is moved ahead. */
export const clockBody = z.strictObject({
  advanceMs: z.int().min(0).max(ADVANCE_MS_MAX).default(0),
  /** Milliseconds since 1970; possible while nothing is planned, such as after a reset. */
  set: z.int().min(0).max(8_640_000_000_000_000).optional(),
  frozen: z.boolean().optional(),
  /** Virtual seconds in a real one; 1 is as usual. */
  speed: z.number().min(0.01).max(SPEED_MAX).optional(),
});

export const customerBody = z.strictObject({
  /** Who is meant: phone, `@username` or user id. An unknown phone becomes a new customer. */
  phone: z.string().min(1),
  name: z.string().min(1).optional(),
  /** Null takes it away. */
  username: z
    .string()
    .regex(/^@?[a-z0-9._]{3,35}$/i, "is not a username")
    .nullable()
    .optional(),
  online: z.boolean().optional(),
  readReceipts: z.boolean().optional(),
  phoneHidden: z.boolean().optional(),
  blocksUs: z.boolean().optional(),
  /** Tells the business by `user_preferences`. */
  optedOut: z.boolean().optional(),
  /** Each of the following is told by a message of the type `system`. */
  newPhone: z.string().min(1).optional(),
  newUserId: z.literal(true).optional(),
  newIdentity: z.literal(true).optional(),
});

export const personaBody = z.strictObject({
  customer: z.string().min(1),
  /** Null takes the script away. */
  script: z.enum(SCRIPT_NAMES).nullable(),
  /** Between the acts of the person, by the virtual clock; at most a week. */
  latencyMs: z.int().min(0).max(WEEK_MS).default(1_000),
  choice: z.union([z.string().min(1), z.int().min(0).transform(String)]).optional(),
  number: z.string().min(1).optional(),
});

/** `after=N` of a log. */
export const afterQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });

/** Which rule a `DELETE /_sim/faults` is about; all of them without an id. */
export const faultQuery = z.strictObject({ id: z.coerce.number().int().min(1).optional() });

/** Something happens to a template: by itself at Meta, or by a reviewer. */
export const templateBody = z.strictObject({
  /** Its id, or its name. */
  template: z.string().min(1),
  language: z.string().min(1).optional(),
  event: z
    .enum(["approve", "reject", "pause", "unpause", "disable", "appeal", "archive", "unarchive"])
    .optional(),
  /** Meta's word for a rejection, such as INVALID_FORMAT. */
  reason: z.string().min(1).optional(),
  quality: z.enum(["GREEN", "YELLOW", "RED", "UNKNOWN"]).optional(),
  category: z.enum(["MARKETING", "UTILITY", "AUTHENTICATION"]).optional(),
});

/** Something happens to a token of the start state or of a login. */
export const tokenBody = z.strictObject({
  token: z.string().min(1),
  state: z.enum(["valid", "revoked", "deauthorized"]).optional(),
  /** From now on; 0 is at once, null is never. */
  expiresInMs: z.int().min(0).nullable().optional(),
  scopes: z.array(z.string().min(1)).optional(),
  wabaIds: z.array(z.string().min(1)).optional(),
});
