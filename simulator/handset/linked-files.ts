import { asObject, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { MediaType } from "#shared/whatsapp/webhook-types";
import { MEDIA_KINDS } from "../media-kinds";
import type { StatusError } from "../webhooks/payloads";
import type { StoredMessage } from "../world";

/** Real time: the host of a file is real. Meta gives up after some seconds, too. */
const FETCH_MS_MAX = 10_000;

/** A file that a message names by its address. */
interface LinkedFile {
  readonly kind: MediaType;
  readonly link: string;
  /** A recording that is shown as a voice message; it has to be Opus. */
  readonly isVoice: boolean;
}

const FILE_KINDS = ["image", "video", "document", "audio", "sticker"] as const;

/** The files that WhatsApp fetches for a message: its own, that of its header, or those of a template. */
export function linkedFiles({ type, content }: StoredMessage): LinkedFile[] {
  const message = asObject(content);
  if (type === "template") return (getArray(message, "components") ?? []).map(asObject).flatMap(ofComponent);
  if (type === "interactive") {
    const cards = (getArray(getObject(message, "action"), "cards") ?? []).map(asObject);
    return [message, ...cards].flatMap((part) => ofFileKeys(getObject(part, "header")));
  }
  return ofFileKeys(message === undefined ? undefined : { [type]: message });
}

function ofComponent(component: JsonObject | undefined): LinkedFile[] {
  const cards = (getArray(component, "cards") ?? []).map(asObject);
  const inner = cards.flatMap((card) => getArray(card, "components") ?? []).map(asObject);
  const parameters = (getArray(component, "parameters") ?? []).map(asObject);
  return [...parameters.flatMap(ofFileKeys), ...inner.flatMap(ofComponent)];
}

function ofFileKeys(object: JsonObject | undefined): LinkedFile[] {
  return FILE_KINDS.flatMap((kind) => {
    const file = getObject(object, kind);
    const link = getText(file, "link");
    if (link === undefined || getText(file, "id") !== undefined) return [];
    return [{ kind, link, isVoice: kind === "audio" && asObject(file)?.["voice"] === true }];
  });
}

/** Fetches the files one after the other, as WhatsApp does before it sends; the reason why the message fails, or null. */
export async function fetchLinkedFiles(
  files: readonly LinkedFile[],
  closing: AbortSignal,
): Promise<StatusError | null> {
  for (const file of files) {
    const details = await fetchProblem(file, closing);
    if (details !== null) return { code: 131053, title: "Media upload error", details };
  }
  return null;
}

async function fetchProblem(
  { kind, link, isVoice }: LinkedFile,
  closing: AbortSignal,
): Promise<string | null> {
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(FETCH_MS_MAX)]);
    const response = await fetch(link, { signal });
    const problem = answerProblem(response, kind, isVoice);
    if (problem !== null) {
      await response.body?.cancel();
      return problem;
    }
    return await sizeProblem(response, kind);
  } catch {
    // No connection, no name, no answer in time: for the message it is all the same.
    return "Downloading media from weblink failed, the host could not be reached";
  }
}

function answerProblem(response: Response, kind: MediaType, isVoice: boolean): string | null {
  if (!response.ok) {
    return `Downloading media from weblink failed with http code ${response.status}, status message ${response.statusText}`;
  }
  const given = (response.headers.get("content-type") ?? "").toLowerCase();
  const [bare = ""] = given.split(";");
  const allowed = MEDIA_KINDS[kind].mimeTypes;
  // A voice message without its codec is taken for one; only another type of sound is not.
  const isAllowed = allowed.includes(bare.trim()) && (!isVoice || bare.trim() === "audio/ogg");
  return isAllowed
    ? null
    : `Unsupported ${isVoice ? "Voice" : kind} mime type ${bare.slice(0, 80)}. Please use one of ${(isVoice ? ["audio/ogg; codecs=opus"] : allowed).join(", ")}.`;
}

/** Reads as much as Meta would take; what is read is looked at by nobody and not kept. */
async function sizeProblem(response: Response, kind: MediaType): Promise<string | null> {
  const { bytesMax } = MEDIA_KINDS[kind];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > bytesMax)
      return `The file of the weblink is larger than the ${bytesMax} bytes allowed for ${kind}`;
  }
  return size === 0 ? "The file of the weblink is empty" : null;
}
