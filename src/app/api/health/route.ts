import { readHealth } from "@/server/health";
import { jsonResponse } from "@/server/route";

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  const health = await readHealth();
  return jsonResponse(health, { status: health.status === "ok" ? 200 : 503 });
}
