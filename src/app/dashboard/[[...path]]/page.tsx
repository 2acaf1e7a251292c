import type { Metadata } from "next";
import { notFound, redirect } from "next/navigation";
import { Dashboard } from "@/components/Dashboard";
import { parseInboxPath } from "@/lib/inbox-path";
import { currentSession } from "@/server/auth/session";
import { runtimeConfig } from "@/server/runtime-config";

export const metadata: Metadata = { title: "Inbox" };

/**
 * `/dashboard`, `/dashboard/[account]` and `/dashboard/[account]/[conversation]`: one page, because moving between
 * them is done in the browser, on a live connection that a page of its own would cut.
 */
export default async function DashboardPage({ params }: PageProps<"/dashboard/[[...path]]">) {
  const { path = [] } = await params;
  const pathname = ["/dashboard", ...path].join("/");
  if (parseInboxPath(pathname) === null) notFound();
  const [session, { convexUrl }] = await Promise.all([currentSession(), runtimeConfig()]);
  if (!session) redirect(`/login?next=${encodeURIComponent(pathname)}`);
  const { name, email } = session.user;
  return <Dashboard convexUrl={convexUrl} user={{ name, email }} />;
}
