import { Button } from "../ui/button";

/** The button of a form, and above it what went wrong with the form as a whole. */
export function FormFoot({
  error,
  isBusy,
  label,
}: {
  error: string | undefined;
  isBusy: boolean;
  label: string;
}) {
  return (
    <div className="mt-1 grid gap-3">
      <div role="alert">{error && <p className="text-destructive text-sm">{error}</p>}</div>
      <Button type="submit" size="lg" aria-disabled={isBusy} className="w-full text-sm">
        {isBusy ? "One moment" : label}
      </Button>
    </div>
  );
}
