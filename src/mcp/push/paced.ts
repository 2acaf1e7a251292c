/** A reader that takes nothing for so long is gone, or will never catch up. */
const STALLED_MS = 60_000;

/**
 * Notices on their way to one reader, each given on only when the reader has taken the one before it. What waits
 * meanwhile is a set: a resource that changes a hundred times while nobody reads is told about once, and a slow reader
 * costs no memory that grows.
 */
export function pacedNotices(write: (uri: string) => void) {
  const waiting = new Set<string>();
  let isReady = false;
  let takenAt = Date.now();
  const give = () => {
    const [uri] = waiting;
    if (!isReady || uri === undefined) return;
    waiting.delete(uri);
    isReady = false;
    write(uri);
  };
  return {
    /** The resource changed. */
    mark: (uri: string) => {
      waiting.add(uri);
      give();
    },
    forget: (uri: string) => void waiting.delete(uri),
    /** The reader asks for more. */
    asked: () => {
      isReady = true;
      takenAt = Date.now();
      give();
    },
    /** The reader got something else. */
    busy: () => {
      isReady = false;
    },
    isReady: () => isReady,
    isStalled: () => !isReady && waiting.size > 0 && Date.now() - takenAt > STALLED_MS,
  };
}
