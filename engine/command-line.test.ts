import { expect, test } from "vitest";
import { parseCommandLine } from "./command-line";

const KEY = ["--admin-key", "name|secret"];
const parse = (...args: string[]) => parseCommandLine(args, () => undefined);

test("every flag has a default but the key, which is made when it is missing", () => {
  expect(parse(...KEY)).toMatchObject({
    host: "127.0.0.1",
    port: 3210,
    sitePort: 3211,
    dataDir: expect.stringMatching(/\.pons$/),
    adminKey: "name|secret",
    redactErrors: false,
    isolation: "fresh",
    fsync: "full",
  });
});

test("flags say otherwise", () => {
  const flags = [
    "--port",
    "0",
    "--site-port",
    "8080",
    "--data",
    "/tmp/x",
    "--isolation",
    "reuse",
    "--redact-errors",
  ];
  expect(
    parse(...flags, ...KEY, "--cloud-origin", "https://api.example/", "--host", "0.0.0.0"),
  ).toMatchObject({
    host: "0.0.0.0",
    port: 0,
    sitePort: 8080,
    dataDir: "/tmp/x",
    redactErrors: true,
    isolation: "reuse",
    cloudOrigin: "https://api.example",
  });
});

test.each([
  ["an unknown flag", ["--prot", "1"], "--prot"],
  ["a flag without its value", ["--port"], "--port"],
  ["a word too many", ["start"], "start"],
  ["a port that is none", ["--port", "99999"], "--port must"],
  ["a port in words", ["--site-port", "http"], "--site-port must"],
  ["an unknown isolation", ["--isolation", "none"], "--isolation must"],
  ["an origin that is no URL", ["--site-origin", "example"], "--site-origin must"],
  ["an origin that is not HTTP", ["--cloud-origin", "ftp://example"], "--cloud-origin must"],
  ["an empty admin key", ["--admin-key", ""], "--admin-key must"],
  ["a data directory that is a file", ["--data", "package.json"], "package.json cannot be used"],
])("%s is refused with a sentence that names it", (_, args, named) => {
  expect(() => parse(...args)).toThrow(named);
});

test("strictness is asked for by flag, or by a variable where the flag is missing", () => {
  const variables = { ENGINE_LIMIT_SCALE: "0.25", ENGINE_CHAOS: "7", ENGINE_COMPAT: "1.45" };
  const parseIn = (...args: string[]) => parseCommandLine([...KEY, ...args], () => undefined, variables);
  expect(parseIn()).toMatchObject({ limitScale: 0.25, chaosSeed: 7 });
  expect(parseIn("--limit-scale", "0.5", "--chaos", "8")).toMatchObject({ limitScale: 0.5, chaosSeed: 8 });
  expect(parse(...KEY)).not.toHaveProperty("chaosSeed");
});

test.each([
  ["--limit-scale", "2", "above 0 and at most 1"],
  ["--limit-scale", "0", "above 0 and at most 1"],
  ["--chaos", "maybe", "whole number"],
  ["--compat", "1.48", "must be 1.45"],
])("%s %s is refused with a sentence", (flag, value, text) => {
  expect(() => parse(...KEY, flag, value)).toThrow(text);
});
