import type { Invitation } from "@/server/invitation";
import { EntryCard } from "../login/EntryCard";
import { Button } from "../ui/button";
import { ChangePerson } from "./ChangePerson";
import { InvitedForm } from "./InvitedForm";
import { JoinButton } from "./JoinButton";

const AS: Readonly<Record<"owner" | "admin" | "member", string>> = {
  owner: "an owner",
  admin: "an administrator",
  member: "a member",
};

/** What an invitation that lets nobody in is called, and what to do then. */
const CLOSED = {
  used: {
    title: "This invitation was used already",
    text: "It works once. If it was you who used it, sign in with the address that it was sent to.",
  },
  revoked: {
    title: "This invitation was withdrawn",
    text: "Whoever invited you took it back, or sent you a newer one. Look for a later message, or ask for a new one.",
  },
  expired: {
    title: "This invitation is over",
    text: "An invitation works for a week. Ask whoever invited you for a new one.",
  },
  unknown: {
    title: "This is not an invitation",
    text: "The link may be cut off. Copy the whole of it from the message that you got, or ask for a new one.",
  },
  not_set_up: {
    title: "This Pons is not set up yet",
    text: "Its first owner has to come in before anybody can join. Open this link again when that is done.",
  },
} as const;

/** The page behind the link of an invitation, in every state that the link can be in. */
export function InviteScreen({
  invitation,
  token,
  convexUrl,
}: {
  invitation: Exclude<Invitation, { state: "joined" }>;
  token: string;
  convexUrl: string;
}) {
  switch (invitation.state) {
    case "open":
    case "yours": {
      const { state, accountName, email, role } = invitation;
      return (
        <EntryCard
          title={`Join ${accountName}`}
          text={
            <p>
              You are invited as {AS[role]}, with the address <Address>{email}</Address>.
            </p>
          }
        >
          {state === "open" ? (
            <InvitedForm token={token} email={email} />
          ) : (
            <JoinButton token={token} convexUrl={convexUrl} accountName={accountName} />
          )}
        </EntryCard>
      );
    }
    case "of_another":
      return (
        <EntryCard
          title="This invitation is for another address"
          text={
            <p>
              It invites <Address>{invitation.email}</Address> to {invitation.accountName}, and you are signed
              in as <Address>{invitation.signedInAs}</Address>.
            </p>
          }
        >
          <ChangePerson />
        </EntryCard>
      );
    default: {
      const { title, text } = CLOSED[invitation.state];
      return (
        <EntryCard title={title} text={<p>{text}</p>}>
          {invitation.state !== "not_set_up" && (
            <Button asChild size="lg" variant="outline" className="w-full text-sm">
              <a href="/login">To the sign-in page</a>
            </Button>
          )}
        </EntryCard>
      );
    }
  }
}

function Address({ children }: { children: string }) {
  return <span className="break-all font-medium text-foreground">{children}</span>;
}
