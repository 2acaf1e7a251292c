import { EntryCard } from "./EntryCard";
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
    <EntryCard
      title={isClaimed ? "Sign in" : "Create the owner account"}
      text={
        isClaimed
          ? "With the address and password of your account."
          : "This Pons has no owner yet. Whoever has the setup token becomes the first."
      }
    >
      {isClaimed ? <SignInForm next={next} /> : <OwnerForm next={next} setupToken={setupToken} />}
    </EntryCard>
  );
}
