import { answerPreflight } from "@/server/cors";
import { answerResourceMetadata } from "@/server/oauth-metadata";

export const dynamic = "force-dynamic";

export const GET = answerResourceMetadata;
export const OPTIONS = answerPreflight;
