import { SERVICE_WINDOW_MS } from "#shared/domain/window";
import type { Simulation } from "../simulation";
import { ACCESS_TOKEN } from "../start-state";
import { describeCallbacks } from "../webhooks/callbacks";

/** The whole simulated world as plain JSON, for people and tests. */
export function describeState(simulation: Simulation) {
  const { world, settings } = simulation;
  return {
    seed: simulation.seed,
    clock: {
      now: simulation.clock.now(),
      frozen: simulation.clock.isFrozen,
      speed: simulation.clock.speed,
      ...simulation.clock.planned(),
    },
    app: {
      ...world.app,
      appSecret: settings.appSecret,
      verifyToken: settings.verifyToken,
      accessToken: ACCESS_TOKEN,
    },
    otherApps: world.otherApps.map(({ id, name, secret, subscription, wabas }) => ({
      id,
      name,
      secret,
      callbackUrl: subscription?.url ?? null,
      wabaIds: [...wabas.keys()],
    })),
    businesses: [world.business],
    users: world.users,
    // Whole tokens: whoever can ask this can also use them, and a test needs them.
    tokens: [...world.tokens.values()],
    wabas: world.wabas.map(({ id, name, subscribed, override }) => ({
      id,
      name,
      subscribed,
      overrideCallbackUrl: override?.url ?? null,
    })),
    numbers: world.numbers.map(({ state, ...number }) => {
      const { blocked, ...others } = state;
      return { ...number, ...others, blocked: [...blocked] };
    }),
    customers: world.customers.map(({ lastWroteAt, entryPoints, ...customer }) => ({
      ...customer,
      entryPoints: [...entryPoints].map(([numberId, entry]) => ({ numberId, ...entry })),
      windows: [...lastWroteAt].map(([numberId, at]) => ({ numberId, expiresAt: at + SERVICE_WINDOW_MS })),
    })),
    templates: world.templates,
    messages: [...world.messages.values()],
    media: [...world.media.values()].map(({ bytes, ...media }) => ({ ...media, bytes: bytes.length })),
    faults: simulation.faults.list(),
    settings: simulation.tuning,
    subscriptions: describeCallbacks(world),
  };
}
