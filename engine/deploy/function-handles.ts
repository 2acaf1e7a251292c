import type { Transaction } from "../types";

/** Far above the functions that 32 MiB of code can hold. */
const HANDLES_MAX = 100_000;

/**
 * Keeps one row per function, so that making a handle is only a read. A function that goes leaves its row marked
 * deleted: when it comes back, handles that were stored meanwhile mean it again.
 */
export function updateHandles(transaction: Transaction, paths: ReadonlySet<string>): void {
  const rows = transaction.system.list("_function_handles", "by_component_and_path", {
    equals: [""],
    limit: HANDLES_MAX,
  });
  const known = new Set<string>();
  for (const row of rows) {
    const path = String(row["path"]);
    known.add(path);
    const deleted = !paths.has(path);
    if (row["deleted"] !== deleted) transaction.system.patch(row._id, { deleted });
  }
  for (const path of paths) {
    if (!known.has(path))
      transaction.system.insert("_function_handles", { component: "", path, deleted: false });
  }
}
