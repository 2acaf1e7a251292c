import { json, type Reply } from "../http";

/** A failed Graph call, in Meta's terms. Thrown by nobody: handlers return it. */
export interface GraphFailure {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly details?: string;
  readonly subcode?: number;
  readonly type?: "OAuthException" | "GraphMethodException";
  /** What Meta would show to the person, for errors of management calls. */
  readonly userTitle?: string;
  readonly userMessage?: string;
}

/** The JSON that Meta answers, always with its trace id. */
export function graphErrorReply(failure: GraphFailure, traceId: string): Reply {
  const {
    status,
    code,
    message,
    details,
    subcode,
    type = "OAuthException",
    userTitle,
    userMessage,
  } = failure;
  return json(status, {
    error: {
      message,
      type,
      code,
      ...(subcode !== undefined && { error_subcode: subcode }),
      ...(details !== undefined && { error_data: { messaging_product: "whatsapp", details } }),
      ...(userTitle !== undefined && {
        is_transient: false,
        error_user_title: userTitle,
        error_user_msg: userMessage,
      }),
      fbtrace_id: traceId,
    },
  });
}

export const noToken: GraphFailure = {
  status: 400,
  code: 2500,
  message: "An active access token must be used to query information about the current user.",
};

export const badToken: GraphFailure = {
  status: 401,
  code: 190,
  subcode: 467,
  message: "Invalid OAuth access token - Cannot parse access token",
};

export const badProof: GraphFailure = {
  status: 400,
  code: 100,
  message: "Invalid appsecret_proof provided in the API argument",
};

/** An object that does not exist, or that the token may not see: Meta answers both alike. */
export function unknownObject(id: string, method: string): GraphFailure {
  const verb = method === "GET" ? "get" : method === "DELETE" ? "delete" : "post";
  return {
    status: 400,
    code: 100,
    subcode: 33,
    type: "GraphMethodException",
    message: `Unsupported ${verb} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
  };
}

export function unknownPath(path: string): GraphFailure {
  return { status: 400, code: 2500, message: `Unknown path components: ${path}` };
}

export function missing(parameter: string): GraphFailure {
  return {
    status: 400,
    code: 131008,
    message: "(#131008) Required parameter is missing",
    details: `Parameter '${parameter}' is mandatory.`,
  };
}

/** A value of the wrong kind or range. */
export function invalid(details: string): GraphFailure {
  return { status: 400, code: 131009, message: "(#131009) Parameter value is not valid", details };
}

/** A value that breaks a documented length or list. */
export function invalidParameter(message: string): GraphFailure {
  return { status: 400, code: 100, message: `(#100) ${message}`, details: message };
}

/** A kind of message that exists in WhatsApp and cannot be sent through the API. */
export const unsupportedType: GraphFailure = {
  status: 400,
  code: 131051,
  message: "(#131051) Unsupported message type",
  details: "Message type is not currently supported.",
};
