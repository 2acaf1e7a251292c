import { Logo } from "../Logo";
import { OwnerForm } from "./OwnerForm";
import { SignInForm } from "./SignInForm";

/** The way in. An installation that nobody owns yet asks for its first owner instead. */
export function LoginScreen({
  isClaimed,
  next,
  setupToken,
}: {
  isClaimed: boolean;
  next: string;
  setupToken: string;
}) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center bg-sidebar px-4 py-10">
      <div className="w-full max-w-sm">
        <a href="/" className="mx-auto mb-8 flex w-fit items-center gap-2.5 rounded-md font-semibold text-lg">
          <Logo />
          Pons
        </a>
        <div className="rounded-xl border bg-card p-6 text-card-foreground shadow-xs">
          <h1 className="font-semibold text-xl tracking-tight">
            {isClaimed ? "Sign in" : "Create the owner account"}
          </h1>
          <p className="mt-1 mb-6 text-muted-foreground text-sm">
            {isClaimed
              ? "With the address and password of your account."
              : "This Pons has no owner yet. Whoever has the setup token becomes the first."}
          </p>
          {isClaimed ? <SignInForm next={next} /> : <OwnerForm next={next} setupToken={setupToken} />}
        </div>
      </div>
    </main>
  );
}
