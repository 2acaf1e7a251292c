import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { LoginScreen } from "@/components/login/LoginScreen";
import { safeNext } from "@/lib/safe-next";
import { currentSession } from "@/server/auth/session";
import { isInstanceClaimed } from "@/server/instance";

export const metadata: Metadata = { title: "Sign in", robots: { index: false } };

export default async function LoginPage({ searchParams }: PageProps<"/login">) {
  const { next, setup } = await searchParams;
  const [session, isClaimed] = await Promise.all([currentSession(), isInstanceClaimed()]);
  if (session) redirect(safeNext(next));
  return (
    <LoginScreen
      isClaimed={isClaimed}
      next={safeNext(next)}
      setupToken={typeof setup === "string" ? setup : ""}
    />
  );
}
