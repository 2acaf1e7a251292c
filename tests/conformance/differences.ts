import type { BackendName } from "./shared/backend";

/**
 * Shared cases that a backend is known not to pass, with the reason. They are run all the same and have to fail, so
 * that this list cannot outlive a difference.
 */
export const DIFFERENCES: { readonly [name in BackendName]: { readonly [title: string]: string } } = {
  // A mock in JavaScript objects: it has no limits, hardly any checks of ids and no deployment.
  "convex-test": {
    "a top-level field of a document may not begin with an underscore": "it checks no names of fields",
    "a value of more than 64 levels is refused": "it has no limits of values",
    "a document of more than 16 levels is refused": "it has no limits of values",
    "an array of more than 8192 elements is refused": "it has no limits of values",
    "an object of more than 1024 fields is refused": "it has no limits of values",
    "a document of more than 1 MiB is refused": "it has no limits of values",
    "what is no id is refused": "it finds nothing for it instead",
    "system tables are read through db.system alone, and other tables not through it":
      "it reads every table through both",
    "a filter negates a number": "it does not know this part of a filter",
    "a cursor of another query is refused": "its cursors are positions without their query",
    "data of a failed nested call keep their type": "it decodes them twice",
    "a handle of a function that does not exist is refused":
      "it looks for the function when the handle is called",
    "functions do not call each other more than eight levels deep": "it does not count levels",
    "the values of a record are checked against its validator": "it checks the keys alone",
    "a mutation that returns what it may not keeps nothing": "it commits first and checks then",
    "the row of a failed call says why": "it keeps no text of the error",
    "the row of a call that ended says when": "it notes no time of success",
    "a call that has ended stays as it is when it is canceled": "it overwrites every state",
    "a function that does not exist cannot be scheduled": "it looks for the function when it is due",
    "a call cannot be scheduled more than five years ahead": "it has no limit of time",
    "the row of a file tells its type": "it keeps size and digest alone",
    "metadata of a file have its digest in hex": "it does not know this call",
    "the URL of a file does not give its id or digest away": "its URL is the digest",
    "the audit log of the cloud is refused": "it takes every entry and forgets it",
    "the timestamp of the snapshot, newer than the 1.45 backend, is refused": "it follows the newest client",
    "the legacy argument of a component is empty in the app": "it does not know this call",
    "a query cannot write": "it checks only what the types offer",
    "identities stay in the app":
      "an action of a component hands the identity of its caller on to its own queries",
  },
  testkit: {},
  engine: {},
};
