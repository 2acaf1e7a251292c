import fs from "node:fs";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { ZipFile } from "yazl";

/** The entries of a ZIP file by name, in their order, as text. */
export async function readZip(file: string): Promise<Map<string, string>> {
  const zip = await openPromise(file, { autoClose: false });
  const entries = new Map<string, string>();
  try {
    for await (const entry of zip.eachEntry()) {
      entries.set(entry.fileName, await text(await zip.openReadStreamPromise(entry)));
    }
  } finally {
    zip.close();
  }
  return entries;
}

/** Writes a ZIP file of these entries. */
export async function writeZip(file: string, entries: Iterable<readonly [string, string]>): Promise<string> {
  const zip = new ZipFile();
  for (const [name, content] of entries) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  await pipeline(zip.outputStream, fs.createWriteStream(file));
  return file;
}
