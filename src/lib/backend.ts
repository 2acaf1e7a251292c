import type { FunctionReturnType } from "convex/server";
import { api } from "../../convex/_generated/api";

/** The one place where screens meet the backend's function names; the shapes follow from them. */
export { api };

export type Account = FunctionReturnType<typeof api.accounts.list>[number];
export type Conversation = FunctionReturnType<typeof api.conversations.list>["page"][number];
export type Message = FunctionReturnType<typeof api.messages.list>["page"][number];
