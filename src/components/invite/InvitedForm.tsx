"use client";

import { useState } from "react";
import { SignInForm } from "../login/SignInForm";
import { Button } from "../ui/button";
import { SignUpForm } from "./SignUpForm";

/** New people make an account, others sign in; both join by it. Afterwards this page leads on to the account. */
export function InvitedForm({ token, email }: { token: string; email: string }) {
  const [isNew, setNew] = useState(true);
  const next = `/invite/${token}`;
  const invitation = { token, email };
  return (
    <>
      {isNew ? (
        <SignUpForm next={next} invitation={invitation} />
      ) : (
        <SignInForm next={next} invitation={invitation} />
      )}
      <p className="mt-4 text-center text-muted-foreground text-sm">
        {isNew ? "You have an account here? " : "You are new here? "}
        <Button variant="link" size="text" onClick={() => setNew(!isNew)}>
          {isNew ? "Sign in instead" : "Create an account"}
        </Button>
      </p>
    </>
  );
}
