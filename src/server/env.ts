import * as z from "zod";

/** Better Auth refuses shorter secrets in production; 32 characters are the length of its own generator. */
const SECRET_CHARS_MIN = 32;

/** The names that a machine has for itself, as they stand in URLs. */
export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** True for the hosts that never leave this machine, where plain http is as private as https. */
export const isLoopbackHost = (hostname: string): boolean => LOOPBACK_HOSTS.includes(hostname);

const origin = (fallback?: string) => {
  const url = z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .transform((text) => new URL(text).origin);
  return fallback === undefined ? url : url.default(fallback);
};

/** A private ES256 key as one JSON Web Key; the `kid` names it in every token, so that keys can be exchanged. */
const identityKey = z
  .string("is missing")
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue("must be a JSON Web Key in JSON");
      return z.NEVER;
    }
  })
  .pipe(
    z.object(
      {
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        x: z.string(),
        y: z.string(),
        d: z.string(),
        kid: z.string().min(1),
      },
      "must be a private P-256 JSON Web Key with a kid",
    ),
  );

/** `kid:value[,older]`: the first signs, all of them are accepted while an older one is being phased out. */
const keyRing = z.string("is missing").transform((text, context) => {
  const entries = text.split(",").map((entry) => {
    const at = entry.indexOf(":");
    return { kid: entry.slice(0, Math.max(at, 0)).trim(), value: entry.slice(at + 1).trim() };
  });
  if (entries.some(({ kid, value }) => kid === "" || value === "")) {
    context.addIssue("must be kid:value, or several of them separated by commas");
    return z.NEVER;
  }
  return entries;
});

function isPrivateOnTheWay(site: string): boolean {
  const { protocol, hostname } = new URL(site);
  return protocol === "https:" || isLoopbackHost(hostname);
}

const schema = z.object({
  SITE_URL: origin("http://localhost:3000").refine(
    isPrivateOnTheWay,
    "must be https, because sessions over plain http can be read on the way",
  ),
  NEXT_PUBLIC_CONVEX_URL: origin("http://127.0.0.1:3210"),
  CONVEX_SITE_URL: origin("http://127.0.0.1:3211"),
  BETTER_AUTH_SECRET: z
    .string("is missing")
    .min(SECRET_CHARS_MIN, `must have at least ${SECRET_CHARS_MIN} characters`),
  CONVEX_IDENTITY_KEY: identityKey,
  API_KEY_PEPPER: keyRing,
  SETUP_TOKEN: z.string().min(1).optional(),
  WEBHOOK_VERIFY_TOKEN: z.string().min(1).optional(),
  FACEBOOK_APP_ID: z.string().min(1).optional(),
  FACEBOOK_APP_SECRET: z.string().min(1).optional(),
  FACEBOOK_LOGIN_CONFIG_ID: z.string().min(1).optional(),
  /** `off` where an open connection costs money by the second: clients of 2025 then get no notices. */
  MCP_SESSIONS: z.enum(["on", "off"], "must be on or off").default("on"),
  TRUSTED_IP_HEADER: z
    .string()
    .regex(/^[a-z0-9-]+$/i, "must be the name of one HTTP header")
    .transform((name) => name.toLowerCase())
    .optional(),
});

export type ServerEnv = Readonly<z.infer<typeof schema>>;

/** One sentence per broken variable, each naming it and what it takes; never the value itself. */
export class EnvError extends Error {
  override readonly name = "EnvError";
}

/**
 * Checks a set of environment variables; an empty value counts as absent, as in a copied example file.
 * @throws EnvError listing every variable that is missing or broken
 */
export function parseEnv(source: Readonly<Record<string, string | undefined>>): ServerEnv {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const sentences = new Map(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? "The environment");
      return [name, `${name} ${issue.message}: see .env.example for what it takes.`];
    }),
  );
  throw new EnvError([...sentences.values()].join("\n"));
}

let parsed: ServerEnv | undefined;

/**
 * The environment of this process. It is read when it is first asked for and as one object, because Next replaces
 * every literal `process.env.NEXT_PUBLIC_...` by the value that it had on the machine that built the app.
 * @throws EnvError listing every variable that is missing or broken
 */
export function serverEnv(): ServerEnv {
  parsed ??= parseEnv(process.env);
  return parsed;
}
