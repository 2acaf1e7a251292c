"use client";

import { fieldText, looksLikeEmail, useAuthForm } from "@/hooks/use-auth-form";
import { createOwner, PASSWORD_CHARACTERS_MIN } from "@/lib/auth-requests";
import { checkNewPassword } from "@/lib/new-password";
import { FormFoot } from "./FormFoot";
import { TextField } from "./TextField";

export function OwnerForm({ next, setupToken }: { next: string; setupToken: string }) {
  const { errors, isBusy, onSubmit } = useAuthForm({ next, check, send });
  return (
    <form noValidate onSubmit={onSubmit} className="grid gap-4">
      <TextField
        label="Setup token"
        name="setupToken"
        defaultValue={setupToken}
        autoComplete="off"
        spellCheck={false}
        hint="The terminal that runs Pons shows it."
        error={errors.setupToken}
      />
      <TextField label="Name" name="name" autoComplete="name" error={errors.name} />
      <TextField label="E-mail" name="email" type="email" autoComplete="username" error={errors.email} />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint={`At least ${PASSWORD_CHARACTERS_MIN} characters.`}
        error={errors.password}
      />
      <FormFoot error={errors.form} isBusy={isBusy} label="Create account" />
    </form>
  );
}

function check(fields: FormData) {
  return {
    ...(fieldText(fields, "setupToken").trim() === "" && { setupToken: "Enter the setup token." }),
    ...(fieldText(fields, "name").trim() === "" && { name: "Enter your name." }),
    ...(!looksLikeEmail(fieldText(fields, "email")) && { email: "Enter your e-mail address." }),
    ...checkNewPassword(fieldText(fields, "password")),
  };
}

const send = (fields: FormData) =>
  createOwner({
    setupToken: fieldText(fields, "setupToken").trim(),
    name: fieldText(fields, "name").trim(),
    email: fieldText(fields, "email").trim(),
    password: fieldText(fields, "password"),
  });
