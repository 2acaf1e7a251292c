import { answerAuth } from "@/server/auth/routes";

export const dynamic = "force-dynamic";

export const GET = answerAuth;
export const POST = answerAuth;
