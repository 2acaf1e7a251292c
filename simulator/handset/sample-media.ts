import { deflateSync } from "node:zlib";
import type { MediaType } from "#shared/whatsapp/webhook-types";

export interface SampleFile {
  readonly mimeType: string;
  readonly bytes: Buffer;
  readonly filename?: string;
}

/** A small file of the kind, such as a phone would send. The hue (0 to 1) makes pictures differ from each other. */
export function sampleFile(type: MediaType, hue: number): SampleFile {
  switch (type) {
    case "image":
      return { mimeType: "image/png", bytes: gradientPng(240, 160, hue) };
    case "document":
      return {
        mimeType: "application/pdf",
        bytes: onePagePdf("A document from the simulator"),
        filename: "document.pdf",
      };
    case "audio":
      return { mimeType: "audio/mpeg", bytes: silentMp3() };
    case "voice":
      return { mimeType: "audio/ogg; codecs=opus", bytes: silentOgg() };
    case "video":
      return { mimeType: "video/mp4", bytes: emptyMp4() };
    case "sticker":
      return { mimeType: "image/webp", bytes: dotWebp() };
  }
}

/** How light a picture is where it has faded: each channel. */
const PALE = 240;

/** A picture that fades from one colour to a pale one. */
function gradientPng(width: number, height: number, hue: number): Buffer {
  const channel = (shift: number) => Math.round(127 + 127 * Math.cos(2 * Math.PI * (hue + shift / 3)));
  const colour = [channel(0), channel(1), channel(2)];
  const rows = Array.from({ length: height }, (_, y) => {
    const light = 1 - y / height;
    const pixel = colour.map((value) => Math.round(value * light + PALE * (1 - light)));
    return Buffer.from([0, ...Array.from({ length: width }, () => pixel).flat()]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.concat(rows))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

function pngChunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(checksum(body, 0xedb88320, true), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** Half a second of silence: MPEG-1 layer III frames of 417 bytes at 128 kbit/s and 44.1 kHz, whose zeros say nothing. */
function silentMp3(): Buffer {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0x64]);
  return Buffer.concat(Array.from({ length: 20 }, () => frame));
}

/** Three seconds, so that a player has something to count. */
const SILENCE_PACKETS = 150;
/** An Opus packet of 20 ms, in samples of 48 kHz. */
const PACKET_SAMPLES = 960;

/** An Ogg Opus stream (RFC 7845) with its two header pages and one page of silence. */
function silentOgg(): Buffer {
  const head = Buffer.concat([
    Buffer.from("OpusHead", "latin1"),
    Buffer.from([1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]),
  ]);
  const tags = Buffer.concat([
    Buffer.from("OpusTags", "latin1"),
    Buffer.from([3, 0, 0, 0]),
    Buffer.from("sim"),
    Buffer.alloc(4),
  ]);
  const silence = Array.from({ length: SILENCE_PACKETS }, () => Buffer.from([0xf8, 0xff, 0xfe]));
  return Buffer.concat([
    oggPage(0, 2, 0, [head]),
    oggPage(1, 0, 0, [tags]),
    oggPage(2, 4, PACKET_SAMPLES * SILENCE_PACKETS, silence),
  ]);
}

/** One page of an Ogg stream: at most 255 packets, each shorter than 255 bytes. */
function oggPage(sequence: number, flags: number, granule: number, packets: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(27);
  header.write("OggS", 0, "latin1");
  header[5] = flags;
  header.writeUInt32LE(granule, 6);
  header.writeUInt32LE(0x53494d, 14);
  header.writeUInt32LE(sequence, 18);
  header[26] = packets.length;
  const page = Buffer.concat([header, Buffer.from(packets.map(({ length }) => length)), ...packets]);
  page.writeUInt32LE(checksum(page, 0x04c11db7, false), 22);
  return page;
}

/** CRC-32 as PNG reckons it (reflected, inverted) or as Ogg does (neither). */
function checksum(bytes: Buffer, polynomial: number, reflected: boolean): number {
  let crc = reflected ? 0xffffffff : 0;
  for (const byte of bytes) {
    crc ^= reflected ? byte : byte << 24;
    for (let bit = 0; bit < 8; bit++) {
      if (reflected) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
      else crc = crc & 0x80000000 ? (crc << 1) ^ polynomial : crc << 1;
    }
  }
  return (reflected ? crc ^ 0xffffffff : crc) >>> 0;
}

/** An MP4 that opens and has no frames: enough for everything that handles files without decoding them. */
function emptyMp4(): Buffer {
  return Buffer.concat([
    mp4Box("ftyp", Buffer.from("isom\u0000\u0000\u0002\u0000isomiso2mp41", "latin1")),
    mp4Box("free", Buffer.alloc(0)),
    mp4Box("mdat", Buffer.alloc(16)),
  ]);
}

function mp4Box(name: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(8 + content.length, 0);
  return Buffer.concat([size, Buffer.from(name, "latin1"), content]);
}

/** A lossless WebP of one pixel. */
function dotWebp(): Buffer {
  return Buffer.from("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", "base64");
}

function onePagePdf(line: string): Buffer {
  const page = `BT /F1 18 Tf 40 100 Td (${line}) Tj ET`;
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 360 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
    `<</Length ${page.length}>>\nstream\n${page}\nendstream`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = text.length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  text += `xref\n0 6\n0000000000 65535 f \n${rows}trailer<</Size 6/Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}
