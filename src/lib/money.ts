/** An amount as the reader's language writes it; a currency that nobody knows is written behind the number. */
export function money(amount: number, currency: string | undefined): string {
  if (currency === undefined) return plain.format(amount);
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount);
  } catch {
    // Not three letters: a catalogue may hold anything, and the amount is worth showing all the same.
    return `${plain.format(amount)} ${currency}`;
  }
}

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
