import {
  ArrowRightIcon,
  BotIcon,
  CheckCheckIcon,
  DatabaseIcon,
  type LucideIcon,
  SendIcon,
  ShieldCheckIcon,
  SmartphoneIcon,
  UsersRoundIcon,
  WebhookIcon,
} from "lucide-react";
import { cn } from "@/lib/utils";

interface Step {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text: string;
  /** Steps that Pons itself takes are set apart from those of others. */
  readonly isPons?: boolean;
}

const INCOMING: readonly Step[] = [
  { icon: SmartphoneIcon, title: "A customer writes", text: "On WhatsApp, from any phone." },
  { icon: WebhookIcon, title: "Meta calls Pons", text: "With a webhook that it has signed." },
  {
    icon: DatabaseIcon,
    title: "Pons checks and stores",
    text: "Only then does Meta get its answer. A repeated call changes nothing.",
    isPons: true,
  },
  {
    icon: UsersRoundIcon,
    title: "People and agents read",
    text: "The inbox shows it at once, and agents find it over MCP.",
  },
];

const OUTGOING: readonly Step[] = [
  { icon: BotIcon, title: "A person or agent answers", text: "In the inbox, or with the tool send_text." },
  {
    icon: ShieldCheckIcon,
    title: "Pons asks the rules",
    text: "May this key send? Is the 24-hour window of the customer open?",
    isPons: true,
  },
  {
    icon: SendIcon,
    title: "One call to Meta",
    text: "Through the Graph API, with your own token.",
    isPons: true,
  },
  {
    icon: CheckCheckIcon,
    title: "The ticks come back",
    text: "Sent, delivered, read: as webhooks, shown as they come.",
  },
];

/** How a message travels, in both directions. */
export function MessageFlow() {
  return (
    <section aria-labelledby="flow-title" className="border-t py-14">
      <h2 id="flow-title" className="font-semibold text-2xl tracking-tight">
        How a message travels
      </h2>
      <div className="mt-8 grid gap-10">
        <Flow title="In" description="from the customer to you" steps={INCOMING} />
        <Flow title="Out" description="from you to the customer" steps={OUTGOING} />
      </div>
    </section>
  );
}

function Flow({ title, description, steps }: { title: string; description: string; steps: readonly Step[] }) {
  return (
    <div>
      <h3 className="mb-3 font-medium">
        {title} <span className="font-normal text-muted-foreground">{description}</span>
      </h3>
      <ol className="grid gap-6 lg:grid-cols-4">
        {steps.map((step, index) => (
          <li key={step.title} className="relative flex">
            <StepCard step={step} />
            {index < steps.length - 1 && (
              <ArrowRightIcon
                aria-hidden="true"
                className="-translate-x-1/2 -bottom-5.5 lg:-right-5 lg:-translate-y-1/2 absolute left-1/2 size-4 rotate-90 text-muted-foreground lg:top-1/2 lg:bottom-auto lg:left-auto lg:translate-x-0 lg:rotate-0"
              />
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function StepCard({ step: { icon: Icon, title, text, isPons = false } }: { step: Step }) {
  return (
    <div
      className={cn("w-full rounded-xl border p-4", isPons ? "border-primary/40 bg-primary/7" : "bg-card")}
    >
      <Icon
        className={cn("mb-3 size-5", isPons ? "text-primary" : "text-muted-foreground")}
        strokeWidth={1.75}
        aria-hidden="true"
      />
      <p className="font-medium text-sm">{title}</p>
      <p className="mt-1 text-muted-foreground text-sm">{text}</p>
    </div>
  );
}
