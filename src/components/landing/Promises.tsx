const PROMISES = [
  {
    title: "No message is lost",
    text: "A webhook is answered after it is on disk. When it cannot be stored, Meta is told so and comes again.",
  },
  {
    title: "No answer goes out twice",
    text: "A send is accepted, rejected or unknown. An unknown one is shown to a person and never repeated by the machine.",
  },
  {
    title: "No agent without limits",
    text: "An API key names its account and what it may do. A refusal says why, and what would be allowed instead.",
  },
  {
    title: "No lock-in",
    text: "One process and one SQLite file to begin with. The same functions run on self-hosted Convex and on Convex Cloud.",
  },
] as const;

/** What an operator can rely on. */
export function Promises() {
  return (
    <section aria-labelledby="promises-title" className="border-t py-14">
      <h2 id="promises-title" className="font-semibold text-2xl tracking-tight">
        What you can rely on
      </h2>
      <dl className="mt-8 grid gap-x-10 gap-y-8 sm:grid-cols-2">
        {PROMISES.map(({ title, text }) => (
          <div key={title}>
            <dt className="font-medium">{title}</dt>
            <dd className="mt-1.5 max-w-prose text-muted-foreground leading-relaxed">{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
