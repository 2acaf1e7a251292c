import type { GenericSchema, SchemaDefinition } from "convex/server";
import type { LimitName } from "../transaction/usage";
import type { ModuleGlob } from "./live-release";

/** `convexTest` with one argument. */
export type TestOptions<Schema extends GenericSchema> = {
  /** The default export of schema.ts. */
  schema?: SchemaDefinition<Schema, boolean>;
  /** `import.meta.glob("./**\/*.*s")` of the functions folder, with its `_generated` folder. */
  modules?: ModuleGlob;
  /**
   * Narrower limits of transactions than Convex's, which always hold. They are never widened: true and false change
   * nothing.
   */
  transactionLimits?: Partial<Record<LimitName, number>> | boolean;
};
