import { FILENAME_CHARACTERS_MAX } from "#shared/whatsapp/outbound";
import { AppError } from "../server/app-error";
import { params } from "./params";

/** Longer than any address that a server answers. */
const URL_CHARS_MAX = 2_048;

/** Where a file to send is, by one of three names, and what it is called. */
export const fileParams = {
  url: params.word("Public https address of the file.", URL_CHARS_MAX).optional(),
  upload_id: params.word("Id of an uploaded file.").optional(),
  media_id: params.word("Meta's id of a file.").optional(),
  filename: params.word("Name of a document.", FILENAME_CHARACTERS_MAX).optional(),
};

type Named = { url?: string | undefined; upload_id?: string | undefined; media_id?: string | undefined };

/** The file as the backend's doors name it. Throws `invalid_request` unless exactly one name is given. */
export function fileOf({
  url,
  upload_id,
  media_id,
}: Named): { link: string } | { uploadId: string } | { mediaId: string } {
  const named = [url, upload_id, media_id].filter((name) => name !== undefined);
  if (named.length === 1) {
    if (url !== undefined) return { link: url };
    if (upload_id !== undefined) return { uploadId: upload_id };
    if (media_id !== undefined) return { mediaId: media_id };
  }
  throw AppError.of("invalid_request", {
    say: "Name the file by exactly one of `url`, `upload_id` and `media_id`.",
  });
}
