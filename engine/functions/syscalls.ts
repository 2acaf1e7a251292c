import { z } from "zod";
import { developerError } from "../errors";
import { cancelJob, scheduleJob } from "../scheduler/jobs";
import type { ComponentPath, Files, JsonValue, Transaction } from "../types";
import { addressFields, type Namer, resolveAddress } from "./address";
import { type CallContext, userIdentity } from "./call-context";
import { componentArgument } from "./component-argument";
import { canonicalPath, type FunctionAddress, shortPath } from "./path";
import type { FunctionSpec, Release } from "./release";

/** What a system call of a query or mutation may use. */
export type SyscallScope = {
  release: Release;
  transaction: Transaction;
  files: Files;
  spec: FunctionSpec;
  context: CallContext;
};

type Answer = JsonValue | undefined;

const json = z.json();
const scheduleArgs = z.object({ ...addressFields, ts: z.number(), args: json });
const storageArgs = z.object({ storageId: z.string() });

/** Calls that change something: a query has none of them. */
const WRITES = new Set([
  "1.0/insert",
  "1.0/shallowMerge",
  "1.0/replace",
  "1.0/remove",
  "1.0/schedule",
  "1.0/cancel_job",
  "1.0/storageGenerateUploadUrl",
  "1.0/storageDelete",
]);

const unknownAsync = (op: string) => developerError("UnknownOperation", `Unknown async operation ${op}`);

/**
 * Answers an asynchronous system call of a query or mutation, except `1.0/runUdf`. JSON text in and out.
 * Throws "developer" with the text that the function catches.
 */
export function answerAsync(op: string, argsJson: string, scope: SyscallScope): string {
  const { transaction } = scope;
  if (WRITES.has(op) && scope.spec.kind !== "mutation") throw unknownAsync(op);
  if (op === "1.0/queryPage") refuseInComponent(scope.spec);
  if (transaction.answers(op)) return transaction.call(op, argsJson, scope.spec.component);
  const answer = answerOther(op, JSON.parse(argsJson), scope);
  return JSON.stringify(answer ?? null);
}

/** A page is kept in place by what the client says of it, and no client subscribes to a component's functions. */
function refuseInComponent({ component }: FunctionSpec): void {
  if (component === "") return;
  throw developerError(
    "PaginationUnsupportedInComponents",
    "paginate() is only supported in the app, not in components.",
  );
}

function answerOther(op: string, args: unknown, scope: SyscallScope): Answer {
  const { transaction, files, context, release, spec } = scope;
  const { component } = spec;
  const namer: Namer = { release, component, transaction };
  switch (op) {
    case "1.0/schedule": {
      const given = scheduleArgs.parse(args);
      return scheduleJob(transaction, {
        ...schedulable(release, resolveAddress(given, namer)),
        owner: component,
        args: given.args,
        dueMs: given.ts * 1000,
        parent: context.scheduledJob,
      });
    }
    case "1.0/cancel_job":
      cancelJob(
        transaction,
        { id: z.object({ id: z.string() }).parse(args).id, component },
        context.scheduledJob,
      );
      return null;
    case "1.0/createFunctionHandle":
      return release.handles.of(resolveAddress(z.object(addressFields).parse(args), namer), transaction);
    case "1.0/storageGenerateUploadUrl":
      return files.generateUploadUrl(component);
    case "1.0/storageGetUrl":
      return files.getUrl(transaction, storageArgs.parse(args).storageId, component);
    case "1.0/storageGetMetadata":
      return files.getMetadata(transaction, storageArgs.parse(args).storageId, component);
    case "1.0/storageDelete":
      files.remove(transaction, storageArgs.parse(args).storageId, component);
      return null;
    case "1.0/getUserIdentity":
      if (component !== "") return null;
      context.saw.identity = true;
      return userIdentity(context.identity);
    case "1.0/getTransactionMetrics":
      return transaction.metrics();
    case "1.0/getRequestMetadata":
      if (spec.kind === "query") throw unknownAsync(op);
      return requestMetadata(context);
    default:
      return answerAnywhere(op, spec);
  }
}

/** Calls that need neither a transaction nor rights; actions have them too. */
export function answerAnywhere(op: string, { component, path }: FunctionAddress): Answer {
  switch (op) {
    case "1.0/getFunctionMetadata":
      return { name: shortPath(path), componentPath: component };
    case "1.0/getDeploymentMetadata":
      return { name: "embedded", region: null, class: "s16" };
    default:
      throw unknownAsync(op);
  }
}

export const requestMetadata = (context: CallContext): JsonValue => ({
  ip: context.caller.ip ?? null,
  userAgent: context.caller.userAgent ?? null,
  requestId: context.requestId,
  scheduledFunctionId: context.scheduledJob?.id ?? null,
  authToken: context.identity.kind === "user" ? (context.identity.token ?? null) : null,
});

/**
 * A function that may be scheduled: its component and canonical path. Throws Convex's texts for one that is not there.
 */
export function schedulable(
  release: Release,
  address: FunctionAddress,
): { component: ComponentPath; path: string } {
  const { component, path } = address;
  if (release.find(address) !== undefined) return { component, path: canonicalPath(path) };
  const functions = release.mounted(component)?.component.functions.values() ?? [];
  const file = path.module.replace(/\.js$/, "");
  throw developerError(
    "InvalidScheduledFunction",
    [...functions].some((spec) => spec.path.module === path.module)
      ? `Attempted to schedule function, but no exported function ${path.name} found in the file: ${file}. Did you forget to export it?`
      : `Attempted to schedule function at nonexistent path: ${file}`,
  );
}

/** Synchronous system calls: the database's own, and the old component arguments. */
export function answerSync(op: string, argsJson: string, scope: SyscallScope): string {
  const { release, spec, transaction } = scope;
  if (op === "1.0/componentArgument") {
    return componentArgument(release.mountOf(spec).component.args, argsJson);
  }
  if (!transaction.answers(op)) throw developerError("UnknownOperation", `Unknown operation ${op}`);
  return transaction.call(op, argsJson, spec.component);
}
