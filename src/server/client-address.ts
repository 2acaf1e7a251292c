import { isIP } from "node:net";
import { serverEnv } from "./env";

/** The longest text of an IPv6 address (INET6_ADDRSTRLEN without its end); one with a zone is of no other machine. */
const ADDRESS_CHARACTERS_MAX = 45;

/**
 * The address that a request came from, as the trusted proxy wrote it; undefined without such a proxy, and for
 * whatever is not one address: of a list, the client may have written any but the last.
 */
export function clientAddress(headers: Headers): string | undefined {
  const { TRUSTED_IP_HEADER } = serverEnv();
  const address = TRUSTED_IP_HEADER === undefined ? undefined : headers.get(TRUSTED_IP_HEADER)?.trim();
  if (address === undefined || address.length > ADDRESS_CHARACTERS_MAX || isIP(address) === 0)
    return undefined;
  return address.includes("%") ? undefined : address.toLowerCase();
}
