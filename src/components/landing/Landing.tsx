import { ArrowRightIcon } from "lucide-react";
import Link from "next/link";
import { Logo } from "../Logo";
import { Button } from "../ui/button";
import { MessageFlow } from "./MessageFlow";
import { Promises } from "./Promises";

/** The start page: what Pons is, how a message travels, what one can rely on, and where to go next. */
export function Landing() {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex w-full max-w-6xl items-center justify-between px-5 py-4">
        <Link href="/" className="touch-target flex items-center gap-2.5 rounded-md font-semibold text-lg">
          <Logo />
          Pons
        </Link>
        <nav aria-label="Main" className="flex items-center gap-1">
          <Button variant="ghost" asChild>
            <Link href="/docs" prefetch={false}>
              Docs
            </Link>
          </Button>
          <Button variant="ghost" asChild>
            <Link href="/dashboard" prefetch={false}>
              Inbox
            </Link>
          </Button>
        </nav>
      </header>
      <main className="mx-auto w-full max-w-6xl flex-1 px-5">
        <Intro />
        <MessageFlow />
        <Promises />
      </main>
      <footer className="mx-auto w-full max-w-6xl px-5">
        <div className="flex flex-wrap justify-between gap-2 border-t py-6 text-muted-foreground text-sm">
          <p>Pons is free software under the MIT licence.</p>
          <p>Not affiliated with WhatsApp or Meta.</p>
        </div>
      </footer>
    </div>
  );
}

function Intro() {
  return (
    <section className="grid items-center gap-10 py-14 md:grid-cols-[minmax(0,1fr)_auto] md:py-24">
      <div className="max-w-2xl">
        <h1 className="text-balance font-semibold text-4xl tracking-tight sm:text-5xl">
          One WhatsApp number, answered by people and by agents
        </h1>
        <p className="mt-5 text-pretty text-lg text-muted-foreground leading-relaxed">
          Pons connects the WhatsApp Cloud API with a live inbox for your team and with any MCP client, such
          as Claude or Cursor. Both see the same conversations and may answer in them.
        </p>
        <div className="mt-8 flex flex-wrap gap-3">
          <Button size="lg" asChild>
            <Link href="/dashboard" prefetch={false}>
              Open the inbox
              <ArrowRightIcon className="size-4" aria-hidden="true" />
            </Link>
          </Button>
          <Button size="lg" variant="outline" asChild>
            <Link href="/docs" prefetch={false}>
              Read the docs
            </Link>
          </Button>
        </div>
      </div>
      <figure className="w-full rounded-xl border bg-card p-5 md:w-88">
        <figcaption className="mb-3 text-muted-foreground text-sm">
          Try it with a simulated WhatsApp. No account at Meta, no database, no other service.
        </figcaption>
        <pre className="overflow-x-auto font-mono text-sm leading-7">
          <code>
            npm install{"\n"}
            npm run dev
          </code>
        </pre>
      </figure>
    </section>
  );
}
