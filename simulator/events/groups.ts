import { z } from "zod";
import { metaTimestamp } from "#shared/time";
import { valueHead } from "../webhooks/payloads";
import { type EventKind, type EventValue, eventKind, type Scene } from "./kind";

const word = z.string().min(1);
const groupId = word.default("Y2FwaV9ncm91cDox");

/** What happens to groups of the business (Meta: "Groups webhooks"). */
export const GROUP_KINDS: Readonly<Record<string, EventKind>> = {
  group_lifecycle_update: eventKind(
    {
      group_id: groupId,
      type: z.enum(["group_create", "group_delete"]).default("group_create"),
      subject: word.optional(),
      invite_link: word.optional(),
    },
    (input, scene) => groupValue(scene, input),
  ),
  group_participants_update: eventKind(
    {
      group_id: groupId,
      type: z
        .enum([
          "group_participants_add",
          "group_participants_remove",
          "group_join_request_created",
          "group_join_request_revoked",
        ])
        .default("group_participants_add"),
    },
    (input, scene) => {
      const participant = scene.customer.phoneHidden
        ? { user_id: scene.customer.userId }
        : { wa_id: scene.customer.waId };
      const lists: Readonly<Record<string, string>> = {
        group_participants_add: "added_participants",
        group_participants_remove: "removed_participants",
      };
      const list = lists[input.type];
      return groupValue(scene, {
        ...input,
        ...(list === undefined ? participant : { [list]: [participant] }),
      });
    },
  ),
  group_settings_update: eventKind({ group_id: groupId }, (input, scene) =>
    groupValue(scene, { ...input, type: "group_settings_update" }),
  ),
  group_status_update: eventKind(
    { group_id: groupId, type: z.enum(["group_suspend", "group_suspend_cleared"]).default("group_suspend") },
    (input, scene) => groupValue(scene, input),
  ),
};

function groupValue({ simulation, number }: Scene, group: object): EventValue {
  const timestamp = metaTimestamp(simulation.clock.now());
  return { ...valueHead(number), groups: [{ timestamp, ...group }] };
}
