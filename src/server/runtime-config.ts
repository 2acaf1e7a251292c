import { connection } from "next/server";
import { serverEnv } from "./env";

/** What a page may pass on to the browser: addresses, never secrets. */
export type RuntimeConfig = { siteUrl: string; convexUrl: string };

/**
 * The addresses of this deployment, read when a page is asked for: one build then serves every installation.
 * Waiting for the connection keeps Next from running it while it prerenders.
 */
export async function runtimeConfig(): Promise<RuntimeConfig> {
  await connection();
  const env = serverEnv();
  return { siteUrl: env.SITE_URL, convexUrl: env.NEXT_PUBLIC_CONVEX_URL };
}
