import { withErrors } from "@/server/route";
import { answerHandshake, takeDelivery } from "@/server/webhook";

export const dynamic = "force-dynamic";

export const GET = withErrors("webhook", async (request) => answerHandshake(request));
export const POST = withErrors("webhook", takeDelivery);
