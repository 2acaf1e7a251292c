import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { InviteScreen } from "@/components/invite/InviteScreen";
import { inboxPath } from "@/lib/inbox-path";
import { currentSession } from "@/server/auth/session";
import { readInvitation } from "@/server/invitation";
import { runtimeConfig } from "@/server/runtime-config";

/** The address of this page is a credential: no other site and no index may learn it. */
export const metadata: Metadata = { title: "Invitation", robots: { index: false }, referrer: "no-referrer" };

export default async function InvitePage({ params }: PageProps<"/invite/[token]">) {
  const { token } = await params;
  const [session, { convexUrl }] = await Promise.all([currentSession(), runtimeConfig()]);
  const invitation = await readInvitation(token, session?.user ?? null, Date.now());
  if (invitation.state === "joined") redirect(inboxPath({ account: invitation.accountId }));
  return <InviteScreen invitation={invitation} token={token} convexUrl={convexUrl} />;
}
