import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import type { interactiveContent } from "../tables/sendContent";

/**
 * The file in the header of an interactive message. One that was uploaded here goes to Meta before the message does,
 * and until then its own id stands for Meta's.
 */

type Interactive = Infer<typeof interactiveContent>;
type Header = NonNullable<Extract<Interactive, { type: "button" }>["header"]>;
type HeaderFile = Extract<Header, { type: "image" }>["image"];

/** The upload in the header and what it is shown as, or null for another header and for none. */
export function headerUpload(
  interactive: Interactive,
): { kind: "image" | "video" | "document"; uploadId: string } | null {
  const header = "header" in interactive ? interactive.header : undefined;
  if (header === undefined || header.type === "text") return null;
  const file = "image" in header ? header.image : "video" in header ? header.video : header.document;
  return "uploadId" in file ? { kind: header.type, uploadId: file.uploadId } : null;
}

/** The message with Meta's id in place of the upload in its header. */
export function withHeaderId(interactive: Interactive, graphMediaId: string): Interactive {
  if (interactive.type === "list" || !("header" in interactive) || interactive.header === undefined) {
    return interactive;
  }
  return { ...interactive, header: headerInput(interactive.header, graphMediaId) };
}

/** The header as the builder of the body takes it: an upload is named by Meta's id, or by its own while it has none. */
export function headerInput(header: Header, graphMediaId?: string) {
  const ready = (file: HeaderFile) => ("uploadId" in file ? { id: graphMediaId ?? file.uploadId } : file);
  switch (header.type) {
    case "text":
      return header;
    case "image":
      return { type: "image" as const, image: ready(header.image) };
    case "video":
      return { type: "video" as const, video: ready(header.video) };
    case "document":
      return {
        type: "document" as const,
        document: ready(header.document),
        ...defined({ filename: header.filename }),
      };
    default:
      return header satisfies never;
  }
}
