import type {
  DataModelFromSchemaDefinition,
  FunctionReference,
  FunctionReturnType,
  FunctionVisibility,
  GenericActionCtx,
  GenericDataModel,
  GenericMutationCtx,
  GenericQueryCtx,
  GenericSchema,
  OptionalRestArgs,
  RequestMetadata,
  SchemaDefinition,
  UserIdentity,
} from "convex/server";
import type { LimitName } from "../transaction/usage";
import type { ModuleGlob } from "./live-release";

type Query = FunctionReference<"query", FunctionVisibility>;
type Mutation = FunctionReference<"mutation", FunctionVisibility>;
type Action = FunctionReference<"action", FunctionVisibility>;

type ArgsOf<Target, Reference extends Query | Mutation | Action> = Target extends Reference
  ? OptionalRestArgs<Target>
  : [];
type ResultOf<Target, Reference extends Query | Mutation | Action, Ctx> = Target extends Reference
  ? FunctionReturnType<Target>
  : Target extends (ctx: Ctx) => Promise<infer Output>
    ? Output
    : never;

/** The context of `t.run`: that of a mutation, with the file storage of an action. */
export type RunCtx<DataModel extends GenericDataModel> = GenericMutationCtx<DataModel> &
  Pick<GenericActionCtx<DataModel>, "storage">;

export type TestConvexForDataModel<DataModel extends GenericDataModel> = {
  /** Calls a public or internal query, or runs a function that is written in place as one. */
  query: <Target extends Query | ((ctx: GenericQueryCtx<DataModel>) => Promise<unknown>)>(
    target: Target,
    ...args: ArgsOf<Target, Query>
  ) => Promise<ResultOf<Target, Query, GenericQueryCtx<DataModel>>>;
  /** Calls a public or internal mutation, or runs a function that is written in place as one. */
  mutation: <Target extends Mutation | ((ctx: GenericMutationCtx<DataModel>) => Promise<unknown>)>(
    target: Target,
    ...args: ArgsOf<Target, Mutation>
  ) => Promise<ResultOf<Target, Mutation, GenericMutationCtx<DataModel>>>;
  /** Calls a public or internal action, or runs a function that is written in place as one. */
  action: <Target extends Action | ((ctx: GenericActionCtx<DataModel>) => Promise<unknown>)>(
    target: Target,
    ...args: ArgsOf<Target, Action>
  ) => Promise<ResultOf<Target, Action, GenericActionCtx<DataModel>>>;
  /** Reads and writes the database and the files directly, in one transaction. */
  run: <Output>(body: (ctx: RunCtx<DataModel>) => Promise<Output>) => Promise<Output>;
  /** Calls the HTTP action that a request is routed to. `path` begins with "/" and may have a query. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Waits for the scheduled functions whose timers have fired. */
  finishInProgressScheduledFunctions: () => Promise<void>;
  /**
   * Runs all scheduled functions, and those that they schedule.
   *
   * @param advanceTimers moves the test's fake timers on, usually `vi.runAllTimers`
   * @param maxIterations how often timers are advanced before it throws; 100 unless given
   */
  finishAllScheduledFunctions: (advanceTimers: () => void, maxIterations?: number) => Promise<void>;
  /** The same backend, called by a user. What is missing of issuer, subject and tokenIdentifier is made up. */
  withIdentity(identity: Partial<UserIdentity>): TestConvexForDataModel<DataModel>;
  /** The same backend, called from an address and by a program; what is not given is null. */
  withRequestMetadata(
    metadata: Partial<Pick<RequestMetadata, "ip" | "userAgent">>,
  ): TestConvexForDataModel<DataModel>;
};

export type TestConvexRoot<DataModel extends GenericDataModel> = TestConvexForDataModel<DataModel>;

export type TestConvex<Schema extends SchemaDefinition<GenericSchema, boolean>> = TestConvexRoot<
  DataModelFromSchemaDefinition<Schema>
>;

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
