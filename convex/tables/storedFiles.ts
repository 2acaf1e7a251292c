import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/storedFiles`, read by it and by its sweeper.
 *
 * storedFiles: who holds which file of the file storage. A file may have several holders (an upload and the messages
 * that carry it) and goes with the last of them. A file without a row was left behind by a worker that died between
 * storing it and writing that down, and is removed by the sweeper.
 */
export const storedFileTables = {
  storedFiles: defineTable({
    storageId: v.id("_storage"),
    accountId: v.id("accounts"),
    holders: v.number(),
  })
    .index("by_storage", ["storageId"])
    .index("by_account", ["accountId"]),

  /** One row: up to which creation time (ms) the files were compared with their holders. */
  storedFileSweeps: defineTable({ checkedUntil: v.number() }),

  /**
   * One row, written by `model/mediaLinks`: when the running period of links to files began (ms). It stands here,
   * because the queries that make links have no clock.
   */
  mediaLinkPeriods: defineTable({ startedAt: v.number() }),
};
