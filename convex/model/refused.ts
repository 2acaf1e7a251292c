import { type RefusalReason, refusal } from "#shared/errors";
import type { DoorRefusal } from "./grants";

/** A "no" inside the rules of sending; `refusal` is what the door returns. */
export interface Refused {
  kind: "refused";
  refusal: DoorRefusal;
}

/** A "no" with the registry's sentences, sharpened by `say` where the place knows more. */
export function refuse(reason: RefusalReason, say?: string): Refused {
  return { kind: "refused", refusal: refusal(reason, say === undefined ? {} : { say }) };
}
