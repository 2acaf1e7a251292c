import { canonicalPath } from "../functions/path";
import type { Deployment } from "../functions/release";
import { applyCrons, type CronDiff } from "../scheduler/crons";
import type { ComponentPath, Transaction } from "../types";
import { type MountChange, writeComponents } from "./component-rows";
import { updateHandles } from "./function-handles";
import { storeDeployment } from "./stored-deployment";

/** Id of a stored push, and what it changed by component. */
export type Stored = {
  id: string;
  changes: ReadonlyMap<ComponentPath, MountChange>;
  crons: ReadonlyMap<ComponentPath, CronDiff>;
};

/**
 * Everything of a push but its schemas, as part of `transaction`: code, crons, handles, and what is mounted.
 *
 * @param newComponents ids of the components that were never mounted before, by path
 * @param packed the same deployment as text
 */
export function writeDeployment(
  transaction: Transaction,
  { components }: Deployment,
  newComponents: ReadonlyMap<ComponentPath, string>,
  packed: string,
): Stored {
  const id = storeDeployment(transaction, packed);
  const mounted = [...components.values()];
  const changes = writeComponents(transaction, mounted, (path) => newComponents.get(path) ?? path);
  updateHandles(
    transaction,
    new Map(
      mounted.map(({ path, functions }) => [
        path,
        new Set([...functions.values()].map((spec) => canonicalPath(spec.path))),
      ]),
    ),
  );
  const crons = new Map<ComponentPath, CronDiff>();
  for (const path of new Set([...components.keys(), ...changes.keys()])) {
    crons.set(path, applyCrons(transaction, path, components.get(path)?.crons ?? []));
  }
  return { id, changes, crons };
}
