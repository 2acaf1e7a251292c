"use client";

import { useConvexAuth } from "convex/react";
import type { ReactNode } from "react";
import { BackendProvider } from "./BackendProvider";
import { ErrorBoundary } from "./ErrorBoundary";
import { Inbox } from "./inbox/Inbox";
import { InboxSkeleton } from "./inbox/InboxSkeleton";
import { Notice } from "./Notice";
import { Button } from "./ui/button";

export interface SignedInUser {
  readonly name: string;
  readonly email: string;
}

/** Everything behind the sign-in page: the live connection, and the inbox on it. */
export function Dashboard({ convexUrl, user }: { convexUrl: string; user: SignedInUser }) {
  return (
    <BackendProvider url={convexUrl}>
      <ErrorBoundary>
        <SignedInOnly>
          <Inbox user={user} />
        </SignedInOnly>
      </ErrorBoundary>
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
          Its key for identities is not the one of this app. Whoever runs Pons finds the details in its log.
        </p>
        <Button variant="outline" className="mt-2" onClick={() => window.location.reload()}>
          Try again
        </Button>
      </Notice>
    </main>
  );
}
