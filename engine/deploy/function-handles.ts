import type { ComponentPath, Transaction } from "../types";

/** Far above the functions that 32 MiB of code can hold. */
const HANDLES_MAX = 100_000;

/**
 * Keeps one row per function, so that making a handle is only a read. A function that goes, alone or with its
 * component, leaves its row marked deleted: when it comes back, handles that were stored meanwhile mean it again.
 *
 * @param paths canonical paths of the functions of each component
 */
export function updateHandles(
  transaction: Transaction,
  paths: ReadonlyMap<ComponentPath, ReadonlySet<string>>,
): void {
  const rows = transaction.system.list("_function_handles", "by_component_and_path", { limit: HANDLES_MAX });
  const known = new Map<ComponentPath, Set<string>>();
  for (const row of rows) {
    const [component, path] = [String(row["component"]), String(row["path"])];
    const ofComponent = known.get(component) ?? new Set();
    known.set(component, ofComponent.add(path));
    const deleted = paths.get(component)?.has(path) !== true;
    if (row["deleted"] !== deleted) transaction.system.patch(row._id, { deleted });
  }
  for (const [component, functions] of paths) {
    for (const path of functions) {
      if (known.get(component)?.has(path) !== true) {
        transaction.system.insert("_function_handles", { component, path, deleted: false });
      }
    }
  }
}
