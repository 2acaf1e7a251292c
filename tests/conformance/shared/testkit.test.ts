import { convexTest } from "../../../engine/testkit";
import { openInProcess } from "./in-process-backend";
import { runSharedCases } from "./run-cases";

runSharedCases("testkit", () => openInProcess("testkit", convexTest));
