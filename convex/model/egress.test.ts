// @vitest-environment node
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fetchPublic } from "./egressNode";
import { checkLink, egressPolicy, isAllowedAddress } from "./egressPolicyNode";

/** Listens where nothing may arrive, and where the operator's own network is played. */
let server: Server;
let port: number;
let connections = 0;
let answer: (response: ServerResponse, path: string) => void;

beforeAll(async () => {
  server = createServer((request, response) => answer(response, request.url ?? ""));
  server.on("connection", () => connections++);
  // Both families, so that no spelling fails for want of a listener.
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  connections = 0;
  answer = (response) => response.end("secret");
});

const CLOSED = egressPolicy(undefined);
const BYTES_MAX = 1_000;
const get = (link: string, options: Partial<Parameters<typeof fetchPublic>[1]> = {}) =>
  fetchPublic(link, { policy: CLOSED, bytesMax: BYTES_MAX, deadlineMs: 5_000, ...options });

/** Ways to write an address that leads inside, each with the port of the canary. */
const HOSTILE_HOSTS = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "017700000001",
  "127.0.0.1.",
  "１２７.０.０.１",
  "①②⑦.⓪.⓪.①",
  "127。0。0。1",
  "0",
  "0.0.0.0",
  "localhost",
  "localhost.",
  "LOCALHOST",
  "a.localhost",
  "printer.local",
  "metadata.google.internal",
  "intranet",
  "10.0.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "168.63.129.16",
  "172.16.0.1",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::ffff:169.254.169.254]",
  "[::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[2001:db8::1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
  "[ff02::1]",
];

describe("a link that leads inside", () => {
  it.each(HOSTILE_HOSTS)("is refused when it is written %s, and nothing is dialled", async (host) => {
    for (const scheme of ["https:", "http:"]) {
      expect(await get(`${scheme}//${host}:${port}/`)).toMatchObject({ ok: false, final: true });
    }
    expect(connections).toBe(0);
  });

  it.each([
    "https:127.0.0.1",
    "\thttps://127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https://user@93.184.215.14/",
    "https://93.184.215.14:22/",
    "https://93.184.215.14:6379/",
    "https://example.com:25/",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "gopher://127.0.0.1:70/",
    "//example.com",
    "",
  ])("is refused when it is written %j", async (link) => {
    expect(await get(link)).toMatchObject({ ok: false, final: true });
    expect(connections).toBe(0);
  });

  it.each([
    ["only", ["127.0.0.1"]],
    ["beside a good one", ["93.184.215.14", "10.0.0.7"]],
    ["in the sixth version", ["::1"]],
    ["mapped into it", ["::ffff:127.0.0.1"]],
  ])("is refused when its name has such an address, %s", async (_, addresses) => {
    const answers = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    const fetched = await get(`https://rebind.example.com:${port}/`, { resolve: async () => answers });
    expect(fetched).toEqual({ ok: false, reason: "link_address_refused", final: true });
    expect(connections).toBe(0);
  });
});

it.each([
  "93.184.215.14",
  "8.8.8.8",
  "1.1.1.1",
  "2606:4700:4700::1111",
  "2001:4860:4860::8888",
  "2a00:1450:4001:81b::200e",
])("the public address %s is allowed", (address) => {
  expect(isAllowedAddress(address, CLOSED)).toBe(true);
  expect(checkLink(`https://${address.includes(":") ? `[${address}]` : address}/x.png`, CLOSED).ok).toBe(
    true,
  );
});

it.each(["fe80::1%eth0", "", "127.0.0.1 ", "example.com", "1.2.3", "::ffff:8.8.8.8"])(
  "%j is no address to connect to",
  (address) => {
    expect(isAllowedAddress(address, CLOSED)).toBe(false);
  },
);

describe("a network that the operator opened", () => {
  const policy = egressPolicy(" 127.0.0.0/8, nonsense, 10.1.0.0/33");
  const local = (path: string) => `http://127.0.0.1:${port}${path}`;

  it("is reached, also by plain http and by a name of this machine", async () => {
    answer = (response) => response.writeHead(200, { "content-type": "Image/PNG; q=1" }).end("cake");
    const file = { ok: true, mime: "image/png", filename: "cake 1.png" };
    expect(await get(local("/files/cake%201.png?x=1"), { policy })).toMatchObject(file);
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
    const byName = await get(`http://localhost:${port}/cake%201.png`, { policy, resolve });
    expect(byName).toMatchObject(file);
  });

  it("opens nothing else", async () => {
    for (const link of [`http://10.1.0.1:${port}/`, `http://[::1]:${port}/`, `http://8.8.8.8:${port}/`]) {
      expect(await get(link, { policy })).toMatchObject({ ok: false, final: true });
    }
    const resolve = async () => [{ address: "93.184.215.14", family: 4 }];
    expect(await get(`http://example.com:${port}/`, { policy, resolve })).toMatchObject({
      reason: "link_not_https",
    });
    expect(connections).toBe(0);
  });

  it("is not a way around: a redirect passes the same checks", async () => {
    answer = (response, path) =>
      response.writeHead(302, { location: path === "/a" ? "/b" : "http://10.0.0.1/" }).end();
    expect(await get(local("/a"), { policy })).toEqual({ ok: false, reason: "link_not_https", final: true });
    answer = (response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
    expect(await get(local("/a"), { policy })).toMatchObject({ ok: false, final: true });
    answer = (response, path) => response.writeHead(302, { location: `${path}x` }).end();
    expect(await get(local("/a"), { policy })).toMatchObject({ reason: "link_too_many_redirects" });
    answer = (response, path) =>
      path === "/a" ? response.writeHead(302, { location: "/b" }).end() : response.end("ok");
    expect(await get(local("/a"), { policy })).toMatchObject({ ok: true });
  });

  it("gives no more than was asked for, whether the size is told or not", async () => {
    answer = (response) => response.writeHead(200, { "content-length": BYTES_MAX + 1 }).end("x");
    expect(await get(local("/"), { policy })).toMatchObject({ reason: "too_large", final: true });
    answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x".repeat(300)), 1);
      response.on("close", () => clearInterval(timer));
    };
    expect(await get(local("/"), { policy })).toMatchObject({ reason: "too_large", final: true });
  });

  it("has one time for everything, however slowly it drips", async () => {
    answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 10);
      response.on("close", () => clearInterval(timer));
    };
    expect(await get(local("/"), { policy, deadlineMs: 200 })).toEqual({
      ok: false,
      reason: "link_timeout",
      final: false,
    });
    const never = { policy, deadlineMs: 50, resolve: () => new Promise<never>(() => {}) };
    expect(await get(`http://localhost:${port}/`, never)).toMatchObject({ reason: "link_timeout" });
  });

  it.each([
    [404, true],
    [403, true],
    [500, false],
    [429, false],
  ])("that answers %i is final: %s", async (status, final) => {
    answer = (response) => response.writeHead(status).end("no");
    expect(await get(local("/"), { policy })).toEqual({ ok: false, reason: `link_http_${status}`, final });
  });

  it("that breaks off in the middle has given nothing", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half");
      setImmediate(() => response.destroy());
    };
    expect(await get(local("/"), { policy })).toEqual({
      ok: false,
      reason: "link_unreachable",
      final: false,
    });
  });
});

describe("a link over https", () => {
  /** A certificate for files.example.com until 2126, and its key; worth nothing, because nobody trusts it. */
  const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJi9W9P7vMa9oO1EM
/1NvoZJxz3fCWUOOCpMYvAInFxuhRANCAAShkE13j1jZdEiO6mG5OML1mbGWSR9C
FBHtTDee8PyH+sOyY4yY5MqVDwJQ69cbfAAJfLM3pOLbiF+WPJeebV5s
-----END PRIVATE KEY-----`;
  const cert = `-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIUGUpTvmdANLVe14QTqk20n193fhowCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRZmlsZXMuZXhhbXBsZS5jb20wIBcNMjYxMTIxMTYxNjQwWhgP
MjEyNjEwMjgxNjE2NDBaMBwxGjAYBgNVBAMMEWZpbGVzLmV4YW1wbGUuY29tMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoZBNd49Y2XRIjuphuTjC9ZmxlkkfQhQR
7Uw3nvD8h/rDsmOMmOTKlQ8CUOvXG3wACXyzN6Ti24hfljyXnm1ebKNxMG8wHQYD
VR0OBBYEFJtSyTORFohxAANsT0AZjOgYPbpGMB8GA1UdIwQYMBaAFJtSyTORFohx
AANsT0AZjOgYPbpGMA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRZmlsZXMu
ZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIhAIb4XbnSXapUxlJ52NjILfVz
aSjN1xeuYSXP3PMk2kiLAiBBWVJzjhAFdd/QWd6yY3hl4dMbo3wChRIzTTjqtvDQ
Bg==
-----END CERTIFICATE-----`;
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
  let secure: Server;
  let at: string;

  beforeAll(async () => {
    secure = createSecureServer({ key, cert }, (_, response) => response.end("cake"));
    await new Promise<void>((done) => secure.listen(0, "127.0.0.1", done));
    at = `https://files.example.com:${(secure.address() as AddressInfo).port}/cake.png`;
  });
  afterAll(async () => {
    secure.closeAllConnections();
    await new Promise((done) => secure.close(done));
  });

  it("is fetched with the certificate of its name", async () => {
    const policy = egressPolicy("127.0.0.0/8");
    expect(await get(at, { policy, resolve, ca: cert })).toMatchObject({ ok: true, filename: "cake.png" });
  });

  it("is not fetched with another certificate, or one that nobody vouches for", async () => {
    const policy = egressPolicy("127.0.0.0/8");
    const other = at.replace("files.", "other.");
    expect(await get(other, { policy, resolve, ca: cert })).toMatchObject({
      ok: false,
      reason: "link_unreachable",
    });
    expect(await get(at, { policy, resolve })).toMatchObject({ ok: false, reason: "link_unreachable" });
  });
});
