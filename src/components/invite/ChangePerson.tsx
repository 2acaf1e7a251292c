"use client";

import { useState } from "react";
import { signOut } from "@/lib/auth-requests";
import { Button } from "../ui/button";

/** Signs the person out who is here and shows the invitation anew, to whom it is for. */
export function ChangePerson() {
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const change = async () => {
    if (isBusy) return;
    setBusy(true);
    const outcome = await signOut();
    if (outcome.ok) {
      window.location.reload();
      return;
    }
    setBusy(false);
    setError(outcome.message);
  };
  return (
    <div className="grid gap-3">
      <div role="alert">{error && <p className="text-destructive text-sm">{error}</p>}</div>
      <Button size="lg" className="w-full text-sm" aria-disabled={isBusy} onClick={() => void change()}>
        {isBusy ? "One moment" : "Sign out and use the invitation"}
      </Button>
      <Button asChild size="lg" variant="outline" className="w-full text-sm">
        <a href="/dashboard">To my inbox</a>
      </Button>
    </div>
  );
}
