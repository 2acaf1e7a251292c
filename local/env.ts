import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import * as z from "zod";
import { LocalError } from "./local-error";

/** The project's root: every command runs from here, wherever it was called. */
export const ROOT = path.resolve(import.meta.dirname, "..");

const ENV_FILE = path.join(ROOT, ".env.local");

/** Names as in `.env.example`; what the app needs beside them is parsed by the app itself (`src/server/env.ts`). */
const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);
const secret = z.string().min(1);
const schema = z.object({
  PORT: port(3000),
  CONVEX_PORT: port(3210),
  CONVEX_SITE_PORT: port(3211),
  SIM_PORT: port(4004),
  PONS_DATA_DIR: z.string().min(1).default(".pons"),
  PONS_DEMO: z.enum(["0", "1"]).default("0"),
  SITE_URL: z.url({ protocol: /^https?$/ }).optional(),
  NEXT_PUBLIC_CONVEX_URL: z.url({ protocol: /^https?$/ }).optional(),
  CONVEX_SITE_URL: z.url({ protocol: /^https?$/ }).optional(),
  CONVEX_SELF_HOSTED_URL: z.url({ protocol: /^https?$/ }).optional(),
  CONVEX_SELF_HOSTED_ADMIN_KEY: secret.optional(),
  BETTER_AUTH_SECRET: secret.optional(),
  CONVEX_IDENTITY_KEY: secret.optional(),
  SECRETS_KEYS: secret.optional(),
  API_KEY_PEPPER: secret.optional(),
  SETUP_TOKEN: secret.optional(),
  WEBHOOK_VERIFY_TOKEN: secret.optional(),
  META_GRAPH_URL: z.url({ protocol: /^https?$/ }).optional(),
  META_GRAPH_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/)
    .default("v25.0"),
  META_DIALOG_URL: z.url({ protocol: /^https?$/ }).optional(),
  META_MEDIA_HOSTS: z.string().optional(),
  FACEBOOK_APP_ID: z.string().optional(),
  FACEBOOK_APP_SECRET: z.string().optional(),
  SIM_APP_SECRET: secret.default("sim-app-secret"),
});
type Parsed = z.infer<typeof schema>;

/** Without these nothing can be sealed or signed; `writeFreshSecrets` makes them once per installation. */
const SECRET_NAMES = [
  "CONVEX_SELF_HOSTED_ADMIN_KEY",
  "BETTER_AUTH_SECRET",
  "CONVEX_IDENTITY_KEY",
  "SECRETS_KEYS",
  "API_KEY_PEPPER",
  "SETUP_TOKEN",
  "WEBHOOK_VERIFY_TOKEN",
] as const;
type SecretName = (typeof SECRET_NAMES)[number];

export type LocalEnv = Omit<Parsed, SecretName | "SITE_URL" | "NEXT_PUBLIC_CONVEX_URL" | "CONVEX_SITE_URL"> &
  Record<SecretName | "SITE_URL" | "NEXT_PUBLIC_CONVEX_URL" | "CONVEX_SITE_URL", string> & {
    dataDir: string;
    demo: boolean;
    /** False when NEXT_PUBLIC_CONVEX_URL names another host: then that backend is used and none is started. */
    embedded: boolean;
  };

/**
 * Reads `.env.local` and the process environment (which wins), checks every value and fills in what follows from
 * the ports. With `generate`, missing secrets are made and written to `.env.local`; without it, a missing one ends
 * the command.
 * @throws LocalError with one sentence that names the variable and says what to do
 */
export async function loadEnv(options: {
  generate: boolean;
  /** Instead of the process environment. */
  from?: NodeJS.ProcessEnv;
  /** Instead of `.env.local`; null keeps the run apart from it: nothing is read from a file and nothing written. */
  file?: string | null;
}): Promise<LocalEnv> {
  const file = options.file === undefined ? ENV_FILE : options.file;
  const given = { ...readEnvFile(file), ...withoutEmpty(options.from ?? process.env) };
  const parsed = parse(given);
  const demo = parsed.PONS_DEMO === "1";
  const missing = SECRET_NAMES.filter((name) => parsed[name] === undefined && name !== "SETUP_TOKEN");
  if (missing.length > 0 && !options.generate && !demo) {
    throw new LocalError(
      `${missing[0]} is not set: run \`npm run dev\` once to write .env.local with fresh secrets, or set it as .env.example says.`,
    );
  }
  const secrets = await completeSecrets(parsed, file);
  const siteUrl = parsed.SITE_URL ?? `http://localhost:${parsed.PORT}`;
  const convexUrl =
    parsed.NEXT_PUBLIC_CONVEX_URL ??
    parsed.CONVEX_SELF_HOSTED_URL ??
    `http://127.0.0.1:${parsed.CONVEX_PORT}`;
  return {
    ...parsed,
    ...secrets,
    SITE_URL: new URL(siteUrl).origin,
    NEXT_PUBLIC_CONVEX_URL: new URL(convexUrl).origin,
    CONVEX_SITE_URL: new URL(parsed.CONVEX_SITE_URL ?? `http://127.0.0.1:${parsed.CONVEX_SITE_PORT}`).origin,
    dataDir: path.resolve(ROOT, parsed.PONS_DATA_DIR),
    demo,
    embedded: isThisHost(new URL(convexUrl).hostname, new URL(siteUrl).hostname),
  };
}

/** The public half of CONVEX_IDENTITY_KEY as a JWK set: all that the backend needs to check identities. */
export function identityJwks(identityKey: string): string {
  const { d: _private, ...publicKey } = parseJwk(identityKey);
  return JSON.stringify({ keys: [{ ...publicKey, alg: "ES256", use: "sig" }] });
}

function parseJwk(text: string): JWK {
  try {
    const key: unknown = JSON.parse(text);
    return z
      .looseObject({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        x: z.string(),
        y: z.string(),
        d: z.string(),
        kid: z.string(),
      })
      .parse(key);
  } catch {
    throw new LocalError(
      "CONVEX_IDENTITY_KEY is not an ES256 private JWK with a kid: remove it from .env.local and run `npm run dev` to make a new one.",
    );
  }
}

function parse(given: NodeJS.ProcessEnv): Parsed {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = String(issue?.path[0] ?? "The environment");
  throw new LocalError(
    `${name} has a value that cannot be used (${issue?.message ?? "unknown reason"}): see .env.example for what it takes.`,
  );
}

function readEnvFile(file: string | null): NodeJS.Dict<string> {
  return file !== null && fs.existsSync(file) ? withoutEmpty(parseEnv(fs.readFileSync(file, "utf8"))) : {};
}

/** `NAME=` in a file means "not set", as people expect of an example file that they copied. */
const withoutEmpty = (env: NodeJS.Dict<string>): NodeJS.Dict<string> =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));

const isThisHost = (convexHost: string, siteHost: string): boolean =>
  ["localhost", "127.0.0.1", "[::1]", siteHost].includes(convexHost);

async function completeSecrets(parsed: Parsed, file: string | null): Promise<Record<SecretName, string>> {
  const fresh = new Map<SecretName, string>();
  const complete = async (name: SecretName): Promise<[SecretName, string]> => {
    const present = parsed[name];
    if (present !== undefined) return [name, present];
    const made = await makeSecret(name);
    fresh.set(name, made);
    return [name, made];
  };
  const entries: [SecretName, string][] = [];
  for (const name of SECRET_NAMES) entries.push(await complete(name));
  if (fresh.size > 0 && file !== null) appendSecrets(file, fresh);
  return Object.fromEntries(entries) as Record<SecretName, string>;
}

async function makeSecret(name: SecretName): Promise<string> {
  const random = randomBytes(32).toString("base64url");
  switch (name) {
    case "CONVEX_IDENTITY_KEY": {
      const { privateKey } = await generateKeyPair("ES256", { extractable: true });
      return JSON.stringify({ ...(await exportJWK(privateKey)), kid: `k${Date.now().toString(36)}` });
    }
    case "SECRETS_KEYS":
    case "API_KEY_PEPPER":
      return `k1:${random}`;
    case "CONVEX_SELF_HOSTED_ADMIN_KEY":
      return `pons|${random}`;
    case "SETUP_TOKEN":
    case "WEBHOOK_VERIFY_TOKEN":
      return randomBytes(18).toString("base64url");
    case "BETTER_AUTH_SECRET":
      return random;
  }
}

/** Appends only: a person's own lines and comments stay as they are. Readable by the owner alone. */
function appendSecrets(file: string, fresh: ReadonlyMap<string, string>): void {
  const head = fs.existsSync(file)
    ? ""
    : "# Secrets of this installation. Keep this file: what is sealed with them cannot be read without.\n";
  const lines = [...fresh].map(([name, value]) => `${name}='${value}'\n`);
  fs.appendFileSync(file, head + lines.join(""), { mode: 0o600 });
}
