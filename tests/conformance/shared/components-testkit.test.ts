import { convexTest } from "../../../engine/testkit";
import { runComponentCases } from "./component-cases";

runComponentCases("testkit", convexTest);
