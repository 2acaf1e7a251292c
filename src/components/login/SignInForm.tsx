"use client";

import { fieldText, looksLikeEmail, useAuthForm } from "@/hooks/use-auth-form";
import { signIn } from "@/lib/auth-requests";
import { FormFoot } from "./FormFoot";
import { TextField } from "./TextField";

export function SignInForm({ next }: { next: string }) {
  const { errors, isBusy, onSubmit } = useAuthForm({
    next,
    check: (fields) => ({
      ...(!looksLikeEmail(fieldText(fields, "email")) && { email: "Enter your e-mail address." }),
      ...(fieldText(fields, "password") === "" && { password: "Enter your password." }),
    }),
    send: (fields) =>
      signIn({ email: fieldText(fields, "email").trim(), password: fieldText(fields, "password") }),
  });
  return (
    <form noValidate onSubmit={onSubmit} className="grid gap-4">
      <TextField label="E-mail" name="email" type="email" autoComplete="username" error={errors.email} />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        error={errors.password}
      />
      <FormFoot error={errors.form} isBusy={isBusy} label="Sign in" />
    </form>
  );
}
