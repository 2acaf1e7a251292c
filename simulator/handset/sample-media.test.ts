import { crc32, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { MEDIA_TYPES } from "#shared/whatsapp/webhook-types";
import { sampleFile } from "./sample-media";

const SIGNATURES = {
  image: "\x89PNG\r\n\x1a\n",
  document: "%PDF-1.4",
  audio: "\xff\xfb",
  voice: "OggS",
  video: "\0\0\0",
  sticker: "RIFF",
} as const;

test.each(MEDIA_TYPES)("a sample %s begins like one and is small", (type) => {
  const { bytes } = sampleFile(type, 0.5);
  expect(bytes.toString("latin1").startsWith(SIGNATURES[type])).toBe(true);
  expect(bytes.length).toBeLessThan(20_000);
});

test("the picture is a whole PNG: sizes, checksums and pixels agree", () => {
  const { bytes } = sampleFile("image", 0.25);
  let pixels = Buffer.alloc(0);
  let at = 8;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(crc32(body)).toBe(bytes.readUInt32BE(at + 8 + length));
    if (body.subarray(0, 4).toString() === "IDAT") pixels = inflateSync(body.subarray(4));
    at += 12 + length;
  }
  expect(at).toBe(bytes.length);
  expect(pixels.length).toBe(160 * (1 + 240 * 3));
});

test("pictures of different hues differ, those of one hue do not", () => {
  expect(sampleFile("image", 0.1).bytes.equals(sampleFile("image", 0.6).bytes)).toBe(false);
  expect(sampleFile("image", 0.1).bytes.equals(sampleFile("image", 0.1).bytes)).toBe(true);
});
