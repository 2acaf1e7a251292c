import { answerConvexToken } from "@/server/auth/routes";

export const dynamic = "force-dynamic";

export const GET = answerConvexToken;
