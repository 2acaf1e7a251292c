import { answerMcp } from "@/mcp/endpoint";

export const dynamic = "force-dynamic";
/** Longer than the longest wait for the outcome of a send, and within what serverless hosts allow. */
export const maxDuration = 60;

export const GET = answerMcp;
export const HEAD = answerMcp;
export const POST = answerMcp;
export const DELETE = answerMcp;
export const OPTIONS = answerMcp;
