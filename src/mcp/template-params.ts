import * as z from "zod";
import { AppError } from "../server/app-error";

/** A value that fills a place; agents write figures as numbers. */
const value = z.union([z.string(), z.number().transform(String)]);

/** Values by the names of their places, or in the order of the places: `["Ana"]` is `{"1": "Ana"}`. */
const values = z.union([
  z.record(z.string(), value),
  z
    .array(value)
    .transform((list) => Object.fromEntries(list.map((text, index) => [String(index + 1), text]))),
]);

const buttonValues = z.union([
  z.record(z.string(), value),
  z.array(value).transform((list) => Object.fromEntries(list.map((text, index) => [String(index), text]))),
]);

const file = z.union([z.strictObject({ link: z.string() }), z.strictObject({ id: z.string() })]);

const header = z.union([
  z.strictObject({ link: z.string(), filename: z.string().exactOptional() }),
  z.strictObject({ id: z.string(), filename: z.string().exactOptional() }),
  z.strictObject({ latitude: z.number(), longitude: z.number(), name: z.string(), address: z.string() }),
  values,
]);

const whole = z.strictObject({
  header: header.exactOptional(),
  body: values.exactOptional(),
  buttons: buttonValues.exactOptional(),
  cards: z
    .array(
      z.strictObject({
        header: file.exactOptional(),
        body: values.exactOptional(),
        buttons: buttonValues.exactOptional(),
      }),
    )
    .exactOptional(),
  offer_expires_at: z.number().exactOptional(),
});

const PARTS: readonly string[] = Object.keys(whole.shape);

/** The argument as agents see it; how it is read is more patient, since which parts there are depends on the template. */
export const templateParams = z
  .any()
  .optional()
  .meta({
    type: "object",
    description: 'Values by params_schema of list_templates, e.g. {"body":{"1":"Ana"}}.',
    properties: { body: { type: "object" }, header: { type: "object" }, buttons: { type: "object" } },
  });

/**
 * Reads what an agent gave for the places of a template. Values without a part, as `{"1": "Ana"}` or `["Ana"]`, are
 * those of the body, which is the only part that most templates have. Whether they fit is the backend's to say.
 * @throws AppError `template_params`, naming the part that has no possible meaning
 */
export function readTemplateParams(given: unknown): z.output<typeof whole> {
  const parsed = whole.safeParse(isBodyAlone(given) ? { body: given } : (given ?? {}));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = ["params", ...(issue?.path ?? [])].join(".");
  throw AppError.of("template_params", { say: `${where} is not of the form that params_schema describes.` });
}

function isBodyAlone(given: unknown): boolean {
  if (Array.isArray(given)) return true;
  if (typeof given !== "object" || given === null) return false;
  const names = Object.keys(given);
  return names.length > 0 && names.every((name) => !PARTS.includes(name));
}
