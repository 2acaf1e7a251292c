/** Unsent texts of this tab, one per conversation; they survive a reload and end with the tab. */
const PREFIX = "pons-draft:";

export function readDraft(conversationId: string): string {
  return storage()?.getItem(PREFIX + conversationId) ?? "";
}

export function writeDraft(conversationId: string, text: string): void {
  if (text === "") storage()?.removeItem(PREFIX + conversationId);
  else writeIfThereIsRoom(PREFIX + conversationId, text);
}

/** A full storage costs the draft its safety net and nothing else: the text is still in the field. */
function writeIfThereIsRoom(key: string, text: string): void {
  try {
    storage()?.setItem(key, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** Absent on the server, and where a browser forbids storage: reading the property throws there. */
function storage(): Storage | null {
  try {
    return typeof sessionStorage === "undefined" ? null : sessionStorage;
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}
