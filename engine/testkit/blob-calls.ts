import { z } from "zod";

type Bytes = { bytes: Uint8Array; contentType: string | null };

/** Arguments of `storage/storeBlob`, which is no JSON call. */
export const storeBlobCall = z.object({
  blob: z.instanceof(Blob),
  options: z.object({ sha256: z.string().optional() }).optional(),
});

/** Arguments of `storage/getBlob`. */
export const readBlobCall = z.object({ storageId: z.string() });

/** A blob as file storage takes it. */
export const toBytes = async (blob: Blob): Promise<Bytes> => ({
  bytes: new Uint8Array(await blob.arrayBuffer()),
  contentType: blob.type === "" ? null : blob.type,
});

/** A stored file as a function gets it. */
export const toBlob = (file: Bytes | null): Blob | null =>
  file === null
    ? null
    : new Blob([new Uint8Array(file.bytes)], file.contentType === null ? {} : { type: file.contentType });
