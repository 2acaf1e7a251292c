import { convexTest } from "convex-test";
import { openInProcess } from "./in-process-backend";
import { runSharedCases } from "./run-cases";

runSharedCases("convex-test", () => openInProcess("convex-test", convexTest));
