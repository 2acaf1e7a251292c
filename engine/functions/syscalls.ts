import { z } from "zod";
import { developerError } from "../errors";
import { cancelJob, scheduleJob } from "../scheduler/jobs";
import type { Files, JsonValue, Transaction } from "../types";
import { addressFields, handleOf, pathOfAddress } from "./address";
import { type CallContext, userIdentity } from "./call-context";
import { canonicalPath, type FunctionPath, shortPath } from "./path";
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
  if (transaction.answers(op)) return transaction.call(op, argsJson, "");
  const answer = answerOther(op, JSON.parse(argsJson), scope);
  return JSON.stringify(answer ?? null);
}

function answerOther(op: string, args: unknown, scope: SyscallScope): Answer {
  const { transaction, files, context, release } = scope;
  switch (op) {
    case "1.0/schedule": {
      const given = scheduleArgs.parse(args);
      const path = pathOfAddress(given, transaction);
      return scheduleJob(transaction, {
        path: schedulable(release, path),
        args: given.args,
        dueMs: given.ts * 1000,
        parentJobId: context.scheduledJobId,
      });
    }
    case "1.0/cancel_job":
      cancelJob(transaction, z.object({ id: z.string() }).parse(args).id, context.scheduledJobId);
      return null;
    case "1.0/createFunctionHandle":
      return handleOf(
        canonicalPath(pathOfAddress(z.object(addressFields).parse(args), transaction)),
        transaction,
      );
    case "1.0/storageGenerateUploadUrl":
      return files.generateUploadUrl();
    case "1.0/storageGetUrl":
      return files.getUrl(transaction, storageArgs.parse(args).storageId);
    case "1.0/storageGetMetadata":
      return files.getMetadata(transaction, storageArgs.parse(args).storageId);
    case "1.0/storageDelete":
      files.remove(transaction, storageArgs.parse(args).storageId);
      return null;
    case "1.0/getUserIdentity":
      context.saw.identity = true;
      return userIdentity(context.identity);
    case "1.0/getTransactionMetrics":
      return transaction.metrics();
    case "1.0/getRequestMetadata":
      if (scope.spec.kind === "query") throw unknownAsync(op);
      return requestMetadata(context);
    default:
      return answerAnywhere(op, scope.spec.path);
  }
}

/** Calls that need neither a transaction nor rights; actions have them too. */
export function answerAnywhere(op: string, path: FunctionPath): Answer {
  switch (op) {
    case "1.0/getFunctionMetadata":
      return { name: shortPath(path), componentPath: "" };
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
  scheduledFunctionId: context.scheduledJobId,
  authToken: context.identity.kind === "user" ? (context.identity.token ?? null) : null,
});

/** Canonical path of a function that may be scheduled. Throws Convex's texts for one that is not there. */
export function schedulable(release: Release, path: FunctionPath): string {
  if (release.find(path) !== undefined) return canonicalPath(path);
  const inModule = [...release.deployment.functions.values()].some(
    (spec) => spec.path.module === path.module,
  );
  const file = path.module.replace(/\.js$/, "");
  throw developerError(
    "InvalidScheduledFunction",
    inModule
      ? `Attempted to schedule function, but no exported function ${path.name} found in the file: ${file}. Did you forget to export it?`
      : `Attempted to schedule function at nonexistent path: ${file}`,
  );
}

/** Synchronous system calls: the database's own, and the empty answer of the old component arguments. */
export function answerSync(op: string, argsJson: string, scope: SyscallScope): string {
  if (op === "1.0/componentArgument") return "{}";
  if (!scope.transaction.answers(op)) throw developerError("UnknownOperation", `Unknown operation ${op}`);
  return scope.transaction.call(op, argsJson, "");
}
