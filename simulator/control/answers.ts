import { json, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";

/** One shape for everything that is wrong with a call: the path of the field and a sentence. */
export function problem(status: number, path: string, message: string): Reply {
  return json(status, { error: { path, message } });
}

export function summary({ url, status, ms }: DeliveryEntry): object {
  return { url, status, ms };
}
