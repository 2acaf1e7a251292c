import { ConvexError } from "convex/values";
import { isAppErrorData, type Refusal } from "#shared/errors";

/** What went wrong, for a person: one sentence, and where there is one, what to do next. */
export interface FailureWords {
  readonly message: string;
  readonly nextStep?: string | undefined;
  readonly code: string;
}

/**
 * Next steps in the registry are written for agents that call tools; a person at a screen reads these instead, or
 * none when the sentence already says it all.
 */
const SCREEN_STEPS: Readonly<Record<string, string>> = {
  window_closed: "You can write again as soon as the customer writes.",
  duplicate_suspected: "If you mean it twice, wait a minute or change the text.",
  rate_limited: "Wait a moment, then send it again.",
  whatsapp_auth: "The owner of the account has to connect it again with a new token.",
};

export function refusalWords(refusal: Refusal): FailureWords {
  return { message: refusal.message, nextStep: SCREEN_STEPS[refusal.reason], code: refusal.reason };
}

/** The words for anything that a call of the backend threw. */
export function failureWords(error: unknown): FailureWords {
  if (error instanceof ConvexError && isAppErrorData(error.data)) {
    const { code, message } = error.data;
    return { message, nextStep: SCREEN_STEPS[code], code };
  }
  return {
    message: "This did not work, and it is not your doing.",
    nextStep: "Try again.",
    code: "internal",
  };
}
