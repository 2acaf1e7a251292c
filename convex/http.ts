import { httpRouter } from "convex/server";
import { httpAction } from "./functions";
import { answerHandshake, receiveDelivery } from "./model/webhookRoute";

/** The backend's own origin: the same webhook contract as the app's `/api/webhook`, for high volume. */
const http = httpRouter();

http.route({
  path: "/webhook",
  method: "GET",
  handler: httpAction(async (ctx, request) => await answerHandshake(ctx, new URL(request.url).searchParams)),
});

http.route({
  path: "/webhook",
  method: "POST",
  handler: httpAction(async (ctx, request) => await receiveDelivery(ctx, request)),
});

export default http;
