import { convexTest } from "convex-test";
import { runComponentCases } from "./component-cases";

runComponentCases("convex-test", convexTest);
