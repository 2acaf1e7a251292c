import { type AppErrorData, appError, type ErrorCode, type ErrorDetails } from "#shared/errors";

/** An error of the registry on its way through the Next server. Its data may be shown to whoever asked. */
export class AppError extends Error {
  override readonly name: string = "AppError";

  constructor(readonly data: AppErrorData) {
    super(data.message);
  }

  static of(code: ErrorCode, details?: ErrorDetails): AppError {
    return new AppError(appError(code, details));
  }
}

/** The Convex backend did not answer, or answered that it cannot work at the moment. */
export class BackendUnavailable extends AppError {
  override readonly name = "BackendUnavailable";

  /** `reason` is for the log of the operator and is not part of the data. */
  constructor(readonly reason: string) {
    super(appError("unavailable"));
  }
}
