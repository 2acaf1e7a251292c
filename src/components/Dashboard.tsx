"use client";

import { useConvexAuth } from "convex/react";
import type { ReactNode } from "react";
import { BackendProvider } from "./BackendProvider";
import { ErrorBoundary } from "./ErrorBoundary";
import { Inbox } from "./inbox/Inbox";
import { InboxSkeleton } from "./inbox/InboxSkeleton";
import { Notice } from "./Notice";
import { Button } from "./ui/button";
import { TooltipProvider } from "./ui/tooltip";

export interface SignedInUser {
  readonly name: string;
  readonly email: string;
}

/** Everything behind the sign-in page: the live connection, and the inbox on it. */
export function Dashboard({ convexUrl, user }: { convexUrl: string; user: SignedInUser }) {
  return (
    <BackendProvider url={convexUrl}>
      <TooltipProvider delayDuration={400}>
        <ErrorBoundary>
          <SignedInOnly>
            <Inbox user={user} />
          </SignedInOnly>
        </ErrorBoundary>
      </TooltipProvider>
    </BackendProvider>
  );
}

/** Nothing is asked of the backend before it knows who is asking. */
function SignedInOnly({ children }: { children: ReactNode }) {
  const { isLoading, isAuthenticated } = useConvexAuth();
  if (isAuthenticated) return children;
  if (isLoading) return <InboxSkeleton />;
  return (
    <main className="h-dvh">
      <Notice title="The backend does not accept this sign-in" heading="h1" role="alert">
        <p>
          The administrator finds the reason with <code>npm run pons -- doctor</code>.
        </p>
        <Button variant="outline" className="mt-2" onClick={() => window.location.reload()}>
          Try again
        </Button>
      </Notice>
    </main>
  );
}
