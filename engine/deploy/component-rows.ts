import type { MountPoint } from "../functions/release";
import type { ComponentPath, Transaction } from "../types";

/**
 * One row per component that was ever mounted: `{path, componentId, definitionPath, mounted}`. A component that a push
 * no longer mounts keeps its row, its tables and its files; mounted again at the same path it finds them as they were.
 */
const TABLE = "_components";
/** Far above what any app mounts. */
const COMPONENTS_MAX = 10_000;

export type KnownComponent = { rowId: string; componentId: string; mounted: boolean };
export type MountChange = "create" | "modify" | "unmount" | "remount";

/** All components but the app, by path. */
export function knownComponents(transaction: Transaction): Map<ComponentPath, KnownComponent> {
  const rows = transaction.system.list(TABLE, "by_path", { limit: COMPONENTS_MAX });
  return new Map(
    rows.map((row) => [
      String(row["path"]),
      { rowId: row._id, componentId: String(row["componentId"]), mounted: row["mounted"] === true },
    ]),
  );
}

/**
 * Notes which components are mounted from now on. Answers what that changes, by path.
 *
 * @param idOf the id for a component that is new
 */
export function writeComponents(
  transaction: Transaction,
  mounts: readonly MountPoint[],
  idOf: (path: ComponentPath) => string,
): Map<ComponentPath, MountChange> {
  const changes = new Map<ComponentPath, MountChange>();
  const known = knownComponents(transaction);
  for (const { path, definitionPath } of mounts) {
    if (path === "") continue;
    const before = known.get(path);
    known.delete(path);
    changes.set(path, before === undefined ? "create" : before.mounted ? "modify" : "remount");
    const value = { definitionPath, mounted: true };
    if (before !== undefined) transaction.system.patch(before.rowId, value);
    else transaction.system.insert(TABLE, { path, componentId: idOf(path), ...value });
  }
  for (const [path, { rowId, mounted }] of known) {
    if (!mounted) continue;
    changes.set(path, "unmount");
    transaction.system.patch(rowId, { mounted: false });
  }
  return changes;
}
