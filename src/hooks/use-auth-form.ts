"use client";

import { type FormEvent, useRef, useState } from "react";
import type { AuthField, AuthOutcome } from "@/lib/auth-requests";

type Errors = Partial<Record<AuthField, string>>;

/**
 * A form that signs somebody in: checks its fields, sends them once, shows each refusal beside its field with the
 * focus on the first, and opens `next` when it worked. That is a new page load, so that the server sees the session.
 */
export function useAuthForm(options: {
  next: string;
  check: (fields: FormData) => Errors;
  send: (fields: FormData) => Promise<AuthOutcome>;
}) {
  const [errors, setErrors] = useState<Errors>({});
  const [isBusy, setBusy] = useState(false);
  const isSending = useRef(false);

  const submit = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const wrong = options.check(fields);
    setErrors(wrong);
    if (Object.keys(wrong).length > 0) return focusFirst(form, wrong);
    if (isSending.current) return;
    isSending.current = true;
    setBusy(true);
    const outcome = await options.send(fields);
    if (outcome.ok) {
      window.location.assign(options.next);
      return;
    }
    isSending.current = false;
    setBusy(false);
    const refused = { [outcome.field]: outcome.message };
    setErrors(refused);
    focusFirst(form, refused);
  };

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void submit(event.currentTarget);
  };
  return { errors, isBusy, onSubmit };
}

function focusFirst(form: HTMLFormElement, errors: Errors): void {
  const first = [...form.elements].find(
    (element) => element instanceof HTMLInputElement && Object.hasOwn(errors, element.name),
  );
  if (first instanceof HTMLInputElement) first.focus();
}

/** A field of a form as text; absent and files count as empty. */
export function fieldText(fields: FormData, name: AuthField): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

/** Whether this could be an e-mail address at all; the server has the last word. */
export function looksLikeEmail(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text.trim());
}
