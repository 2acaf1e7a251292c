"use client";

import { useMutation } from "convex/react";
import { useState } from "react";
import { api } from "@/lib/backend";
import { failureWords } from "@/lib/failure-words";
import { inboxPath } from "@/lib/inbox-path";
import { BackendProvider } from "../BackendProvider";
import { Button } from "../ui/button";

type Props = { token: string; convexUrl: string; accountName: string };

/** For somebody who is signed in with the invited address: one press, and they are in the account. */
export function JoinButton({ convexUrl, ...invitation }: Props) {
  return (
    <BackendProvider url={convexUrl}>
      <Join {...invitation} />
    </BackendProvider>
  );
}

function Join({ token, accountName }: Omit<Props, "convexUrl">) {
  const accept = useMutation(api.invites.accept);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const join = async () => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { accountId } = await accept({ token });
      window.location.assign(inboxPath({ account: accountId }));
    } catch (refused) {
      const { code, message, nextStep } = failureWords(refused);
      // It ended while this page was open, and the page knows what to say of that.
      if (code === "invite_invalid") return window.location.reload();
      setBusy(false);
      setError([message, nextStep].filter(Boolean).join(" "));
    }
  };
  return (
    <div className="grid gap-3">
      <div role="alert">{error && <p className="text-destructive text-sm">{error}</p>}</div>
      <Button size="lg" className="w-full text-sm" aria-disabled={isBusy} onClick={() => void join()}>
        {isBusy ? "One moment" : `Join ${accountName}`}
      </Button>
    </div>
  );
}
