import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from "./auth-requests";

/** What is wrong with a password that somebody chooses, before it is sent; empty when nothing is. */
export function checkNewPassword(password: string): { password?: string } {
  if (password.length < PASSWORD_CHARACTERS_MIN)
    return { password: `Use at least ${PASSWORD_CHARACTERS_MIN} characters.` };
  if (password.length > PASSWORD_CHARACTERS_MAX)
    return { password: `Use at most ${PASSWORD_CHARACTERS_MAX} characters.` };
  return {};
}
