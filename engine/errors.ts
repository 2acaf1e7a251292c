/**
 * Every failure that leaves the engine carries one of these codes. `message` is written for the developer whose
 * function failed; where users of Convex match a text, it is Convex's own (law L6).
 */
export type EngineErrorKind =
  /** The function or its caller broke a rule: 4xx on the API, `success: false` on the socket. Never retried. */
  | "developer"
  /** A concurrent commit won every round. The caller may try again. */
  | "conflict"
  /** The engine cannot take it now (queue full, disk full, shutting down). The caller may try again. */
  | "overloaded"
  /** No or wrong credential. */
  | "unauthorized"
  /** A defect of the engine or the machine. */
  | "internal";

export class EngineError extends Error {
  override readonly name = "EngineError";

  /**
   * @param kind who can mend it
   * @param code short machine name, PascalCase as on Convex (`InvalidCursor`, `IndexNotFound`)
   * @param message a sentence for the developer
   */
  constructor(
    readonly kind: EngineErrorKind,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const developerError = (code: string, message: string): EngineError =>
  new EngineError("developer", code, message);
