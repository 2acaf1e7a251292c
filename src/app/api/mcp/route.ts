import { after } from "next/server";
import { auditWritten } from "@/mcp/audit";
import { answerMcp } from "@/mcp/endpoint";

export const dynamic = "force-dynamic";
/** The longest that common serverless hosts allow; there it is how long a stream lasts until its client comes back. */
export const maxDuration = 300;

/** Keeps the process alive, here and on serverless hosts, until the audit log has what was answered. */
async function answer(request: Request): Promise<Response> {
  after(auditWritten);
  return await answerMcp(request);
}

export const GET = answer;
export const HEAD = answer;
export const POST = answer;
export const DELETE = answer;
export const OPTIONS = answer;
