import { buildApp } from "./build-app";
import { runCommand } from "./local-error";

/** `npm run build`. */
await runCommand(() => buildApp((line) => process.stdout.write(`${line}\n`)));
