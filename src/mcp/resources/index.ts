import type { ResourceKind } from "#shared/domain/resource-access";
import { accountMessages } from "./account-messages";
import { accounts } from "./accounts";
import { conversation } from "./conversation";
import type { Resource } from "./define-resource";
import { media } from "./media";
import { policy } from "./policy";
import { templates } from "./templates";

/** Every kind of resource, in the order in which clients see them. */
export const RESOURCES: Readonly<Record<ResourceKind, Resource>> = {
  accounts,
  policy,
  messages: accountMessages,
  templates,
  conversation,
  media,
};
