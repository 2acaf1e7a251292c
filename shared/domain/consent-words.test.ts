import { expect, test } from "vitest";
import { readConsentWord } from "./consent-words";

test.each([
  "STOP",
  "stop",
  " Stop. ",
  "¡STOP!",
  "Ｓｔｏｐ",
  "stop 🛑",
  "ARRET",
  "arrêt",
  "BAJA",
  "ALTO",
  "Parar",
  "stopp",
  "Désabonner",
  "DESABONNER",
  "Cancelar inscrição",
  "СТОП",
  "توقف",
  "إيقاف",
  "退订",
  "수신거부",
  "रोकें",
  "Stop promotions",
  "Unsubscribe",
])("%s as the whole message is an opt-out", (text) => {
  expect(readConsentWord(text)).toBe("withdrawn");
});

test.each(["START", "Start!", "resume", "unstop", "ALTA", "S'abonner", "СТАРТ", "订阅"])(
  "%s as the whole message is an opt-in",
  (text) => {
    expect(readConsentWord(text)).toBe("granted");
  },
);

test.each([
  "please stop by tomorrow",
  "stop it, you are funny",
  "Where is the bus stop?",
  "non stop",
  "stopping",
  "cancel",
  "Yes",
  "",
  "🛑",
  `stop${" ".repeat(80)}`,
  "when do you start",
])("%s is an ordinary message", (text) => {
  expect(readConsentWord(text)).toBeNull();
});

test("an account's own words count in the same way, and only there", () => {
  const own = { optOut: ["Cancelar"], optIn: ["quiero ofertas"] };
  expect(readConsentWord("cancelar!", own)).toBe("withdrawn");
  expect(readConsentWord("¡Quiero ofertas!", own)).toBe("granted");
  expect(readConsentWord("cancelar")).toBeNull();
});
