import type { BetterAuthOptions } from "better-auth";
import { createAuthMiddleware, isAPIError } from "better-auth/api";
import { betterAuth } from "better-auth/minimal";
import { BackendUnavailable } from "../app-error";
import { isLoopbackHost, type ServerEnv, serverEnv } from "../env";
import { logError } from "../log";
import { COOKIE_PREFIX } from "./cookie-names";
import { beforeSignUp, refusalOfNewAccount, requireAdmission } from "./gate";
import { storeAdapter } from "./store-adapter";

/** NIST SP 800-63B asks for 8 at least and advises more where a password is the only factor. */
const PASSWORD_CHARS_MIN = 12;

const SESSION_SECONDS = 7 * 24 * 60 * 60;
const SESSION_RENEWED_AFTER_SECONDS = 24 * 60 * 60;

/** So long a session may be believed from its sealed cookie alone; a revoked one ends in other browsers after it. */
const SESSION_CACHE_SECONDS = 60;

/** A header that no proxy sets: without a trusted one, no address that a client can write itself is believed. */
const NO_IP_HEADER = "x-pons-no-trusted-address";

/** Endpoints that Better Auth has and that nobody here needs; several would hand out tokens of sign-in providers. */
const DISABLED_PATHS = [
  "/token",
  "/get-access-token",
  "/refresh-token",
  "/account-info",
  "/change-email",
  "/delete-user",
  "/delete-user/callback",
];

/** Better Auth's configuration, which also decides the shape of its tables in `convex/tables/auth.ts`. */
export function authOptions(env: ServerEnv) {
  return {
    appName: "Pons",
    baseURL: env.SITE_URL,
    basePath: "/api/auth",
    secret: env.BETTER_AUTH_SECRET,
    database: storeAdapter,
    telemetry: { enabled: false },
    trustedOrigins: trustedOrigins(env.SITE_URL),
    disabledPaths: DISABLED_PATHS,
    emailAndPassword: { enabled: true, minPasswordLength: PASSWORD_CHARS_MIN },
    user: {
      validateUserInfo: async ({ source, user }, ctx) =>
        source.action === "create-user"
          ? ((await refusalOfNewAccount(ctx.headers, user.email)) ?? undefined)
          : undefined,
    },
    databaseHooks: {
      session: { create: { before: async ({ userId }, ctx) => await requireAdmission(userId, ctx) } },
    },
    hooks: { before: createAuthMiddleware(beforeSignUp) },
    account: { encryptOAuthTokens: true },
    session: {
      expiresIn: SESSION_SECONDS,
      updateAge: SESSION_RENEWED_AFTER_SECONDS,
      cookieCache: { enabled: true, maxAge: SESSION_CACHE_SECONDS, strategy: "jwe" },
    },
    rateLimit: {
      enabled: true,
      storage: "database",
      customRules: {
        // Reading one's own session is the most frequent call and needs no counter in the database.
        "/get-session": false,
        "/sign-in/*": attempts(env),
        "/sign-up/*": attempts(env),
      },
    },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      // Said explicitly, because Better Auth switches them off by itself when NODE_ENV is "test".
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: [env.TRUSTED_IP_HEADER ?? NO_IP_HEADER] },
    },
    logger: {
      level: "error",
      log: (_level, message, ...details) => {
        const cause = details.find((detail) => detail instanceof Error);
        // The route that answers an outage reports it.
        if (!(cause instanceof BackendUnavailable)) logError("auth", cause ?? message);
      },
    },
    // Refusals are answers, and an outage is reported where it is answered; only what nobody expected is logged.
    onAPIError: {
      onError: (error) => {
        if (!isAPIError(error) && !(error instanceof BackendUnavailable)) logError("auth", error);
      },
    },
  } satisfies BetterAuthOptions;
}

/** Attempts to sign in or up in ten seconds, from one address. */
const ATTEMPTS_MAX = 3;

/**
 * The same for everybody together where no address can be believed: more, so that a stranger cannot lock the owner
 * out by trying, and still too few to guess a password of twelve characters.
 */
const SHARED_ATTEMPTS_MAX = 20;

const attempts = (env: ServerEnv) => ({
  window: 10,
  max: env.TRUSTED_IP_HEADER === undefined ? SHARED_ATTEMPTS_MAX : ATTEMPTS_MAX,
});

/** The site itself; on a developer's machine under each name that the machine has for itself. */
function trustedOrigins(siteUrl: string): string[] {
  const { hostname, port, protocol } = new URL(siteUrl);
  if (!isLoopbackHost(hostname)) return [siteUrl];
  return ["localhost", "127.0.0.1"].map((host) => `${protocol}//${host}${port === "" ? "" : `:${port}`}`);
}

async function start() {
  const auth = betterAuth(authOptions(serverEnv()));
  await auth.$context;
  return auth;
}

let started: ReturnType<typeof start> | undefined;

/**
 * The one Better Auth of this process, made when it is first needed. A failed start is forgotten, so that the next
 * request tries again instead of finding it broken for ever.
 */
export function auth(): ReturnType<typeof start> {
  started ??= start().catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}
