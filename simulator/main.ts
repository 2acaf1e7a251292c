import { readOptions } from "./options";
import { startSimulator } from "./simulator";

const read = readOptions(process.argv.slice(2), process.env);
if ("problem" in read) {
  console.error(read.problem);
  process.exit(1);
}

try {
  const simulator = await startSimulator(read.options);
  console.log(`ready ${simulator.url}`);
  console.log("Open it in a browser to write as a customer. Press Ctrl+C to stop.");
  const stop = () => {
    void simulator.close().then(() => process.exit(0));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
} catch (error) {
  console.error(startProblem(error));
  process.exit(1);
}

function startProblem(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const port = "options" in read ? (read.options.port ?? 4004) : 4004;
  if (code === "EADDRINUSE")
    return `Port ${port} is taken: stop what uses it, or choose another with --port.`;
  if (code === "EACCES")
    return `Port ${port} may not be used without more rights: choose another with --port.`;
  return `The simulator could not start: ${error instanceof Error ? error.message : String(error)}`;
}
