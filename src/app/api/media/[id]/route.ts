import { serveMedia } from "@/server/media";
import { withErrors } from "@/server/route";

export const dynamic = "force-dynamic";

export const GET = withErrors("media", serveMedia);
export const HEAD = withErrors("media", serveMedia);
