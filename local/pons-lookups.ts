import * as z from "zod";
import { type Backend, runFunction } from "./backend";
import { LocalError } from "./local-error";

export const accountSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  phoneNumber: z.string(),
  phoneNumberId: z.string(),
  wabaId: z.string(),
});
export const listAccounts = (backend: Backend): Promise<unknown> =>
  runFunction(backend, "accountsAdmin:list", {});

/** `--account` takes an id, a phone number id or a name, and may be left out when there is only one account. */
export async function accountId(backend: Backend, given: string | undefined): Promise<string> {
  const accounts = z.array(accountSchema).parse(await listAccounts(backend));
  if (given === undefined) {
    const [only, ...others] = accounts;
    if (only === undefined)
      throw new LocalError("There is no account yet: add one with `npm run pons -- accounts add`.");
    if (others.length > 0) {
      throw new LocalError(
        `There are several accounts: give --account with one of ${accounts.map(({ id, name }) => `${id} (${name})`).join(", ")}.`,
      );
    }
    return only.id;
  }
  const matching = accounts.filter(({ id, phoneNumberId, name }) =>
    [id, phoneNumberId, name].includes(given),
  );
  const [account, ...others] = matching;
  if (account === undefined)
    throw new LocalError(`There is no account "${given}": \`npm run pons -- accounts list\` shows them.`);
  if (others.length > 0) throw new LocalError(`Several accounts are named "${given}": give the id instead.`);
  return account.id;
}

/** The account with this id. */
export async function accountById(backend: Backend, id: string): Promise<z.infer<typeof accountSchema>> {
  const found = z
    .array(accountSchema)
    .parse(await listAccounts(backend))
    .find((account) => account.id === id);
  if (found === undefined) throw new LocalError(`The account ${id} is gone.`);
  return found;
}

/** As `accountId`, where the account must be named. */
export const accountOfWord = (backend: Backend, word: string | undefined): Promise<string> =>
  accountId(backend, word ?? "");
