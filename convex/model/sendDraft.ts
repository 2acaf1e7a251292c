import type { Infer } from "convex/values";
import type { Doc } from "../_generated/dataModel";
import type {
  contactsContent,
  interactiveContent,
  locationContent,
  sendableMedia,
  templateParams,
} from "../tables/sendContent";
import type { Principal } from "./principal";

/** Whom a draft is for: a conversation at hand, a contact as somebody names it, or whoever a message belongs to. */
export type DraftRecipient =
  | { readonly kind: "conversation"; readonly conversation: Doc<"conversations"> }
  | { readonly kind: "contact"; readonly text: string }
  | { readonly kind: "message"; readonly messageId: string };

/** Where the file of a draft is: uploaded here, at Meta, or at a public address. */
export type DraftFile =
  | { readonly uploadId: string }
  | { readonly mediaId: string }
  | { readonly link: string };

/** What is to be sent, by kind; nothing of it has been checked yet. */
export type DraftContent =
  | { readonly type: "text"; readonly text: string; readonly previewUrl?: boolean }
  | {
      readonly type: "template";
      readonly name: string;
      readonly language: string;
      readonly params: Infer<typeof templateParams>;
    }
  | {
      readonly type: "media";
      readonly media: Infer<typeof sendableMedia>;
      readonly file: DraftFile;
      readonly caption?: string;
      readonly filename?: string;
      readonly voice?: boolean;
    }
  | { readonly type: "interactive"; readonly interactive: Infer<typeof interactiveContent> }
  | { readonly type: "location"; readonly location: Infer<typeof locationContent> }
  | { readonly type: "contacts"; readonly contacts: Infer<typeof contactsContent> }
  /** `messageId` is our id or Meta's; an empty emoji takes the reaction back. */
  | { readonly type: "reaction"; readonly messageId: string; readonly emoji: string }
  /** The content of an earlier send, as it was frozen; only for a member's own decision to repeat it. */
  | { readonly type: "again"; readonly payload: Exclude<Doc<"outbox">["payload"], { type: "reaction" }> };

/** Something that somebody wants to send from an account that they may use. */
export interface Draft {
  readonly principal: Principal;
  readonly account: Doc<"accounts">;
  readonly recipient: DraftRecipient;
  readonly content: DraftContent;
  /** Our id or Meta's of the message that is quoted; a reaction quotes nothing. */
  readonly replyTo?: string;
  readonly clientRequestId?: string;
  /** The same content went out a moment ago and is meant twice. */
  readonly sendTwice?: boolean;
  /** A person has agreed to this very send. */
  readonly confirmToken?: string;
  /** Milliseconds. */
  readonly now: number;
}
