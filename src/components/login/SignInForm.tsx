"use client";

import { fieldText, looksLikeEmail, useAuthForm } from "@/hooks/use-auth-form";
import { signIn } from "@/lib/auth-requests";
import { FormFoot } from "./FormFoot";
import { TextField } from "./TextField";

/** With an invitation the address is the invited one, and signing in accepts it. */
export function SignInForm({
  next,
  invitation,
}: {
  next: string;
  invitation?: { token: string; email: string };
}) {
  const { errors, isBusy, onSubmit } = useAuthForm({
    next,
    check: (fields) => ({
      ...(!looksLikeEmail(fieldText(fields, "email")) && { email: "Enter your e-mail address." }),
      ...(fieldText(fields, "password") === "" && { password: "Enter your password." }),
    }),
    send: (fields) =>
      signIn(
        { email: fieldText(fields, "email").trim(), password: fieldText(fields, "password") },
        invitation?.token,
      ),
  });
  return (
    <form noValidate onSubmit={onSubmit} className="grid gap-4">
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        defaultValue={invitation?.email}
        readOnly={invitation !== undefined}
        error={errors.email}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        error={errors.password}
      />
      <FormFoot error={errors.form} isBusy={isBusy} label={invitation ? "Sign in and join" : "Sign in"} />
    </form>
  );
}
