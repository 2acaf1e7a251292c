"use client";

import { fieldText, useAuthForm } from "@/hooks/use-auth-form";
import { PASSWORD_CHARACTERS_MIN, signUpInvited } from "@/lib/auth-requests";
import { checkNewPassword } from "@/lib/new-password";
import { FormFoot } from "../login/FormFoot";
import { TextField } from "../login/TextField";

/** An account for somebody who was invited. The address cannot be changed: the invitation is for that one. */
export function SignUpForm({
  next,
  invitation,
}: {
  next: string;
  invitation: { token: string; email: string };
}) {
  const { errors, isBusy, onSubmit } = useAuthForm({
    next,
    check: (fields) => ({
      ...(fieldText(fields, "name").trim() === "" && { name: "Enter your name." }),
      ...checkNewPassword(fieldText(fields, "password")),
    }),
    send: (fields) =>
      signUpInvited(
        {
          name: fieldText(fields, "name").trim(),
          email: invitation.email,
          password: fieldText(fields, "password"),
        },
        invitation.token,
      ),
  });
  return (
    <form noValidate onSubmit={onSubmit} className="grid gap-4">
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        defaultValue={invitation.email}
        readOnly
        error={errors.email}
      />
      <TextField label="Name" name="name" autoComplete="name" error={errors.name} />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint={`At least ${PASSWORD_CHARACTERS_MIN} characters.`}
        error={errors.password}
      />
      <FormFoot error={errors.form} isBusy={isBusy} label="Create account and join" />
    </form>
  );
}
