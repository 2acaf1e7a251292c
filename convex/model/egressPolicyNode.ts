/// <reference types="node" />
"use node";

import { BlockList, isIP } from "node:net";
import type { EgressPolicy, MakeEgressPolicy } from "./egress";

/** IPv4 networks that are nobody's public address (IANA special-purpose registry), and Azure's metadata address. */
const DENIED_IPV4: readonly [network: string, prefix: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** The part of IPv6 that is given out to the public; everything else (mapped, local, translated) is denied. */
const PUBLIC_IPV6: [network: string, prefix: number] = ["2000::", 3];

/** Networks inside it that lead elsewhere: Teredo and protocol assignments, documentation, 6to4, AS112. */
const DENIED_IPV6: readonly [network: string, prefix: number][] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
];

const deniedIpv4 = listOf(DENIED_IPV4, "ipv4");
const publicIpv6 = listOf([PUBLIC_IPV6], "ipv6");
const deniedIpv6 = listOf(DENIED_IPV6, "ipv6");

function listOf(networks: readonly [string, number][], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}

/** The policy for a list of networks such as `10.1.0.0/16,fd00::/8`. An entry that is no network is left out. */
export const egressPolicy: MakeEgressPolicy = (openedCidrs) => {
  const opened = new BlockList();
  for (const entry of (openedCidrs ?? "").split(",")) {
    const [network = "", prefix = ""] = entry.trim().split("/");
    const family = isIP(network);
    const bitsMax = family === 4 ? 32 : 128;
    const bits = prefix === "" ? bitsMax : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > bitsMax) continue;
    opened.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return { opened };
};

/** Whether an address (the text of an IP address) was opened by the operator. */
export function isOpenedAddress(address: string, { opened }: EgressPolicy): boolean {
  const family = isIP(address);
  return family !== 0 && !address.includes("%") && opened.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Whether a connection may go to this address. Anything that is no plain IP address is denied. */
export function isAllowedAddress(address: string, policy: EgressPolicy): boolean {
  if (isOpenedAddress(address, policy)) return true;
  if (isIP(address) === 4) return !deniedIpv4.check(address, "ipv4");
  // A zone names an interface of this very machine.
  if (isIP(address) !== 6 || address.includes("%")) return false;
  return publicIpv6.check(address, "ipv6") && !deniedIpv6.check(address, "ipv6");
}

/** Names that lead inside whatever DNS says (RFC 6761, RFC 6762, the clouds' metadata services). */
const INSIDE_NAMES = /(^|\.)(localhost|local|internal|intranet|home\.arpa|localdomain)$/;

/** Ports on which other protocols than HTTP answer; a request there could be taken for one of theirs. */
const OTHER_PROTOCOLS: ReadonlySet<number> = new Set([
  1025, 1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 4333, 5060, 5061, 5432, 5900, 5984, 6000, 6379, 6443,
  6566, 6665, 6666, 6667, 6668, 6669, 6697, 9042, 9200, 9300, 10250, 10255, 11211, 27017,
]);

export type CheckedLink =
  /** `onlyOpened`: why it may be fetched from a network that the operator opened, and from no other. */
  | { readonly ok: true; readonly url: URL; readonly onlyOpened?: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads a link as the WHATWG rules do (`http:127.1`, full-width digits and octal numbers all become what they are) and
 * refuses what may not be fetched, as far as the text alone tells. Names are resolved when the connection is made.
 */
export function checkLink(text: string, policy: EgressPolicy): CheckedLink {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { ok: false, reason: "link_malformed" };
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return { ok: false, reason: "link_not_https" };
  if (url.username !== "" || url.password !== "") return { ok: false, reason: "link_with_password" };
  const host = hostOf(url);
  const isLiteral = isIP(host) !== 0;
  const onlyOpened = doubtOf(url, host, isLiteral);
  if (isLiteral) {
    const isGood = onlyOpened === null ? isAllowedAddress(host, policy) : isOpenedAddress(host, policy);
    return isGood ? { ok: true, url } : { ok: false, reason: onlyOpened ?? "link_address_refused" };
  }
  if (onlyOpened === null) return { ok: true, url };
  return policy.opened.rules.length === 0 ? { ok: false, reason: onlyOpened } : { ok: true, url, onlyOpened };
}

function doubtOf(url: URL, host: string, isLiteral: boolean): string | null {
  const name = host.replace(/\.+$/, "").toLowerCase();
  if (!isLiteral && (!name.includes(".") || INSIDE_NAMES.test(name))) return "link_address_refused";
  if (url.protocol !== "https:") return "link_not_https";
  return isAllowedPort(portOf(url)) ? null : "link_port_refused";
}

function isAllowedPort(port: number): boolean {
  return port === 443 || (port >= 1024 && !OTHER_PROTOCOLS.has(port));
}

/** The host without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}
