import { parseArgs } from "node:util";
import { backendOf } from "./backend";
import { loadEnv } from "./env";
import { LocalError, runCommand } from "./local-error";
import { type Verb, verbs } from "./pons-verbs";

/** `npm run pons -- <noun> <verb> [--json]`: administration of a running deployment from the shell. */
await runCommand(async () => {
  const [noun, ...words] = process.argv.slice(2);
  if (noun === undefined || noun === "--help" || noun === "help") {
    process.stdout.write(`${usage()}\n`);
    return;
  }
  const verb = verbs.find(
    (candidate) => candidate.noun === noun && (candidate.verb === "" || candidate.verb === words[0]),
  );
  if (!verb)
    throw new LocalError(`There is no command "${[noun, words[0]].filter(Boolean).join(" ")}".\n${usage()}`);
  const { json, values } = parseFlags(verb, verb.verb === "" ? words : words.slice(1));
  const env = await loadEnv({ generate: false });
  const result = await verb.run(backendOf(env), values, env.SITE_URL);
  process.stdout.write(`${json ? JSON.stringify(result) : verb.print(result)}\n`);
});

function parseFlags(verb: Verb, args: string[]): { json: boolean; values: Record<string, string> } {
  const names = Object.keys(verb.flags);
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args,
      options: Object.fromEntries([
        ["json", { type: "boolean" as const }],
        ...names.map((name) => [name, { type: "string" as const }]),
      ]),
      allowPositionals: verb.positional !== undefined,
    });
  } catch (error) {
    throw new LocalError(`${error instanceof Error ? error.message : String(error)}\n${line(verb)}`);
  }
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = parsed.values[name];
    if (typeof value === "string") values[name] = value;
    else if (verb.flags[name]?.required) throw new LocalError(`--${name} is missing.\n${line(verb)}`);
  }
  if (verb.positional) {
    const [value, ...more] = parsed.positionals;
    if (value === undefined || more.length > 0)
      throw new LocalError(`Give exactly one ${verb.positional}.\n${line(verb)}`);
    values[verb.positional] = value;
  }
  return { json: parsed.values["json"] === true, values };
}

function usage(): string {
  return [
    "Usage: npm run pons -- <noun> <verb> [--json]",
    "",
    ...verbs.map((verb) => `  ${line(verb)}`),
  ].join("\n");
}

function line(verb: Verb): string {
  const flags = Object.entries(verb.flags).map(([name, { required }]) =>
    required ? `--${name} …` : `[--${name} …]`,
  );
  return [verb.noun, verb.verb, verb.positional && `<${verb.positional}>`, ...flags]
    .filter(Boolean)
    .join(" ");
}
