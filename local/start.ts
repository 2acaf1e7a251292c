import { runCommand } from "./local-error";
import { serve } from "./serve";

await runCommand(() => serve({ mode: "production" }));
