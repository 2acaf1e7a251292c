/** Own prefix, so that other apps on the same loopback host do not overwrite the session. */
export const COOKIE_PREFIX = "pons";

/** Better Auth adds `__Secure-` to the name when the site is served over https. */
export const SESSION_COOKIE_NAMES = [
  `${COOKIE_PREFIX}.session_token`,
  `__Secure-${COOKIE_PREFIX}.session_token`,
] as const;
