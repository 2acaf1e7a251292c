import { SECOND_MS } from "#shared/time";

/** The field that a refusal belongs to; `form` when it belongs to none of them. */
export type AuthField = "name" | "email" | "password" | "setupToken" | "form";

export type AuthOutcome = { ok: true } | { ok: false; field: AuthField; message: string };

/** Bounds of the sign-in server, shown before the form is sent. */
export const PASSWORD_CHARACTERS_MIN = 12;
export const PASSWORD_CHARACTERS_MAX = 128;

/** Longer than any answer should take; then the person is told instead of watching a spinner. */
const ANSWER_DEADLINE_MS = 20 * SECOND_MS;

const REFUSALS: Readonly<Record<string, { field: AuthField; message: string }>> = {
  INVALID_EMAIL_OR_PASSWORD: { field: "form", message: "The e-mail address or the password is wrong." },
  INVALID_EMAIL: { field: "email", message: "This is not an e-mail address." },
  PASSWORD_TOO_SHORT: {
    field: "password",
    message: `Use at least ${PASSWORD_CHARACTERS_MIN} characters.`,
  },
  PASSWORD_TOO_LONG: { field: "password", message: `Use at most ${PASSWORD_CHARACTERS_MAX} characters.` },
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: {
    field: "email",
    message: "There is already an account with this address. Sign in instead.",
  },
  setup_token_required: {
    field: "setupToken",
    message: "This setup token is not the right one. The terminal that runs Pons shows it.",
  },
  invite_required: {
    field: "form",
    message: "This Pons has an owner already, and new accounts need an invitation.",
  },
};

/** What the sign-in server says of an invitation that ended while its page was open. */
const INVITE_ENDED = {
  field: "form",
  message: "This invitation does not work any more. Reload the page to see why.",
} as const;

/** With the token of an invitation, whoever signs in joins its account. */
export function signIn(
  credentials: { email: string; password: string },
  invite?: string,
): Promise<AuthOutcome> {
  return post("/api/auth/sign-in/email", credentials, inviteHeader(invite));
}

export function signUpInvited(
  person: { name: string; email: string; password: string },
  invite: string,
): Promise<AuthOutcome> {
  return post("/api/auth/sign-up/email", person, inviteHeader(invite));
}

const inviteHeader = (invite: string | undefined): Record<string, string> =>
  invite === undefined ? {} : { "x-pons-invite": invite };

export function createOwner({
  setupToken,
  ...person
}: {
  name: string;
  email: string;
  password: string;
  setupToken: string;
}): Promise<AuthOutcome> {
  return post("/api/auth/sign-up/email", person, { "x-pons-setup-token": setupToken });
}

export function signOut(): Promise<AuthOutcome> {
  return post("/api/auth/sign-out", {});
}

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<AuthOutcome> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
  } catch {
    return {
      ok: false,
      field: "form",
      message: "Pons cannot be reached. Check your connection, then try again.",
    };
  }
  if (response.ok) return { ok: true };
  const code = await codeOf(response);
  if (code === "invite_required" && "x-pons-invite" in headers) return { ok: false, ...INVITE_ENDED };
  return { ok: false, ...refusalOf(response.status, response.headers, code) };
}

function refusalOf(
  status: number,
  headers: Headers,
  code: string | undefined,
): { field: AuthField; message: string } {
  if (status === 429)
    return { field: "form", message: tooManyAttempts(Number(headers.get("x-retry-after"))) };
  const known = code === undefined ? undefined : REFUSALS[code];
  if (known) return known;
  if (status >= 500)
    return { field: "form", message: "Pons is not available at the moment. Try again shortly." };
  return { field: "form", message: "This was not accepted. Check the fields, then try again." };
}

function tooManyAttempts(seconds: number): string {
  const wait = Number.isFinite(seconds) && seconds > 0 ? `${Math.ceil(seconds)} seconds` : "a minute";
  return `Too many attempts. Wait ${wait}, then try again.`;
}

/** `code` of a refusal's JSON body; undefined when the body is something else, such as a proxy's page. */
async function codeOf(response: Response): Promise<string | undefined> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    const hasCode = typeof body === "object" && body !== null && "code" in body;
    return hasCode && typeof body.code === "string" ? body.code : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
