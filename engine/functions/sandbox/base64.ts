const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const invalid = (message: string): Error =>
  Object.assign(new Error(message), { name: "InvalidCharacterError" });

/** Latin-1 text to base64, as in a browser. */
export function btoa(input: unknown): string {
  const text = String(input);
  let out = "";
  for (let i = 0; i < text.length; i += 3) {
    const codes = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)];
    if (codes.some((code) => code > 255)) {
      throw invalid("The string to be encoded contains characters outside of the Latin1 range.");
    }
    const left = text.length - i;
    const bits =
      ((codes[0] ?? 0) << 16) | ((left > 1 ? (codes[1] ?? 0) : 0) << 8) | (left > 2 ? (codes[2] ?? 0) : 0);
    out += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    out += left > 1 ? ALPHABET.charAt((bits >> 6) & 63) : "=";
    out += left > 2 ? ALPHABET.charAt(bits & 63) : "=";
  }
  return out;
}

/** Base64 to Latin-1 text, as in a browser: white space is dropped, padding may be left out. */
export function atob(input: unknown): string {
  let text = String(input).replace(/[\t\n\f\r ]/g, "");
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, "");
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw invalid("The string to be decoded is not correctly encoded.");
  }
  let out = "";
  let bits = 0;
  let count = 0;
  for (const char of text) {
    bits = ((bits << 6) | ALPHABET.indexOf(char)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += String.fromCharCode((bits >> count) & 255);
    }
  }
  return out;
}
