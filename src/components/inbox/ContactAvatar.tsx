import { UserRoundIcon } from "lucide-react";
import { initials } from "@/lib/contact-name";
import { Avatar, AvatarFallback } from "../ui/avatar";

/** The customer's initials; WhatsApp does not give businesses the pictures. Hidden from readers: the name is beside it. */
export function ContactAvatar({ name, className }: { name: string; className?: string }) {
  const letters = initials(name);
  return (
    <Avatar aria-hidden="true" className={className}>
      <AvatarFallback dir="auto">{letters ?? <UserRoundIcon className="size-5" />}</AvatarFallback>
    </Avatar>
  );
}
