import type { AppSubscription, BusinessNumber, OtherApp, Subscription, World } from "../world";
import { followsOverrides } from "./fields";

/** What decides where a webhook goes. */
interface Addressed {
  readonly wabaId: string;
  readonly field: string;
  /** Absent for what concerns the whole account. */
  readonly numberId?: string;
}

/**
 * The callbacks that a webhook goes to, one for each app that listens: subscribed to the account, and to the field. For
 * conversations the number's own callback wins over the account's, and that over the app's.
 */
export function callbacksFor(world: World, event: Addressed): Subscription[] {
  const first = firstAppCallback(world, event);
  const others = world.otherApps.flatMap((app) => otherAppCallback(app, event) ?? []);
  return first === null ? others : [first, ...others];
}

function firstAppCallback(world: World, { wabaId, field, numberId }: Addressed): Subscription | null {
  const waba = world.wabas.find(({ id }) => id === wabaId);
  if (waba === undefined || !waba.subscribed) return null;
  const app = world.subscription;
  if (app !== null && !app.fields.includes(field)) return null;
  if (!followsOverrides(field)) return app;
  const number = world.numbers.find(({ id }) => id === numberId);
  return number?.override ?? waba.override ?? app;
}

function otherAppCallback(app: OtherApp, { wabaId, field }: Addressed): Subscription | null {
  const override = app.wabas.get(wabaId);
  if (override === undefined || app.subscription === null) return null;
  if (!app.subscription.fields.includes(field)) return null;
  return followsOverrides(field) ? (override ?? app.subscription) : app.subscription;
}

/** The callback of an address, to send to it again with the secret of its app; null when nobody has it any more. */
export function callbackAt(world: World, url: string): Subscription | null {
  const ofOthers = world.otherApps.flatMap(({ subscription, wabas }) => [subscription, ...wabas.values()]);
  const ofFirst = [world.subscription, ...[...world.numbers, ...world.wabas].map(({ override }) => override)];
  return [...ofFirst, ...ofOthers].find((callback) => callback?.url === url) ?? null;
}

/** The callback of the app or, where there is none, the first override: where bytes without an address go. */
export function anyCallback(world: World): Subscription | null {
  const overrides = [...world.numbers, ...world.wabas].map(({ override }) => override);
  return world.subscription ?? overrides.find((override) => override !== null) ?? null;
}

/** The Graph's `webhook_configuration` of a number: every callback that concerns it. */
export function webhookConfiguration(world: World, number: BusinessNumber): object {
  const waba = world.wabas.find(({ id }) => id === number.wabaId);
  return {
    ...(number.override !== null && { phone_number: number.override.url }),
    ...(waba?.override && { whatsapp_business_account: waba.override.url }),
    ...(world.subscription !== null && { application: world.subscription.url }),
  };
}

interface CallbackDescription {
  readonly owner: "app" | "waba" | "number";
  readonly id: string;
  readonly url: string;
  readonly verified: boolean;
  readonly fields?: readonly string[];
}

/** Callbacks as the control API shows them, without their verify tokens. */
export function describeCallbacks(world: World): CallbackDescription[] {
  const app: AppSubscription | null = world.subscription;
  const overrides = (
    owner: "number" | "waba",
    list: readonly { id: string; override: Subscription | null }[],
  ): CallbackDescription[] =>
    list.flatMap(({ id, override }) =>
      override === null ? [] : [{ owner, id, url: override.url, verified: override.verified }],
    );
  return [
    ...(app === null
      ? []
      : [
          {
            owner: "app" as const,
            id: world.app.id,
            url: app.url,
            verified: app.verified,
            fields: app.fields,
          },
        ]),
    ...world.otherApps.flatMap(({ id, subscription }) =>
      subscription === null
        ? []
        : [
            {
              owner: "app" as const,
              id,
              url: subscription.url,
              verified: subscription.verified,
              fields: subscription.fields,
            },
          ],
    ),
    ...overrides("waba", world.wabas),
    ...overrides("number", world.numbers),
  ];
}
