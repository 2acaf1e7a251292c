import type { ResourceKind } from "#shared/domain/resource-access";
import type { Refusal } from "#shared/errors";
import type { Caller } from "../../server/caller";
import type { ResourceUri } from "./uris";

/** What is read: text or bytes in Base64, each with its type. */
export type Content = { mimeType: string } & ({ text: string } | { blob: string });

/** One kind of resource, in the words that clients show. None of them comes from a customer. */
export type Resource = {
  kind: ResourceKind;
  name: string;
  title: string;
  description: string;
  mimeType: string;
  /** What the resource holds now, or a refusal, which clients see as "not found". */
  read: (caller: Caller, uri: ResourceUri) => Promise<Content | Refusal>;
};

/** A value as the JSON text of a resource. */
export const jsonContent = (value: object): Content => ({
  mimeType: "application/json",
  text: JSON.stringify(value),
});
