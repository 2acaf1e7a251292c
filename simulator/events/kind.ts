import { z } from "zod";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Customer, Waba } from "../world";

/** Where an event happens. */
export interface Scene {
  readonly simulation: Simulation;
  readonly number: BusinessNumber;
  readonly waba: Waba;
  /** Whom it is about, where it is about somebody. */
  readonly customer: Customer;
}

/** The value of one webhook, or several when the event is told in parts. */
export type EventValue = Readonly<Record<string, unknown>>;
export type MakeEvent = (scene: Scene) => readonly EventValue[];

/** One kind of event: reads a request without guessing, and then says what Meta would send. */
export interface EventKind {
  readonly read: (body: unknown) => { readonly make: MakeEvent } | { readonly error: z.ZodError };
}

/** What stands on every request for an event. */
export const head = {
  field: z.string().min(1),
  /** Phone number id; the first number when absent. */
  number: z.string().min(1).optional(),
  /** Phone, `@username` or user id; the first customer when absent. */
  customer: z.string().min(1).optional(),
};

export function eventKind<Shape extends z.ZodRawShape>(
  shape: Shape,
  make: (input: z.output<z.ZodObject<Shape>>, scene: Scene) => EventValue | readonly EventValue[],
): EventKind {
  const own = z.strictObject(shape);
  const common = z.looseObject(head);
  return {
    read: (body) => {
      const parsedHead = common.safeParse(body);
      if (!parsedHead.success) return { error: parsedHead.error };
      const { field: _field, number: _number, customer: _customer, ...rest } = parsedHead.data;
      const parsed = own.safeParse(rest);
      if (!parsed.success) return { error: parsed.error };
      return { make: (scene) => [make(parsed.data, scene)].flat() };
    },
  };
}
