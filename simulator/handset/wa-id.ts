/**
 * WhatsApp's id of a phone, in digits, which is not the dialled number everywhere (Meta: "Phone numbers"):
 * Brazil's mobiles lose the 9 that was put before them, Mexico's keep the old 1, Argentina's have a 9.
 */
export function waIdOf(digits: string): string {
  const brazil = /^55(\d{2})9([6-9]\d{7})$/.exec(digits);
  if (brazil !== null) return `55${brazil[1]}${brazil[2]}`;
  const mexico = /^52(\d{10})$/.exec(digits);
  if (mexico !== null) return `521${mexico[1]}`;
  const argentina = /^54([1-8]\d{9})$/.exec(digits);
  return argentina === null ? digits : `549${argentina[1]}`;
}
