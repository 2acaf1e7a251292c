import { after } from "next/server";
import { drainAudit } from "@/mcp/audit";
import { answerMcp } from "@/mcp/endpoint";

export const dynamic = "force-dynamic";
/** Longer than the longest wait for the outcome of a send, and within what serverless hosts allow. */
export const maxDuration = 60;

/** Keeps the process alive, here and on serverless hosts, until the audit log has what was answered. */
async function answer(request: Request): Promise<Response> {
  after(drainAudit);
  return await answerMcp(request);
}

export const GET = answer;
export const HEAD = answer;
export const POST = answer;
export const DELETE = answer;
export const OPTIONS = answer;
