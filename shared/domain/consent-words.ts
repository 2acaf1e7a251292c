import type { ConsentWord } from "./consent-state";

/**
 * Words that end or begin consent to marketing when a customer sends them as the whole message. Only words that mean
 * nothing else in a talk with a shop are here: "cancel", "end" and "quit" are about orders and forms as often as about
 * promotion, so an account that wants them adds them itself.
 */
const OPT_OUT_WORDS: readonly string[] = [
  // English, and what the button of Meta's own marketing templates writes.
  "stop",
  "stop all",
  "stopall",
  "stop promotions",
  "unsubscribe",
  "opt out",
  "optout",
  // Spanish, Portuguese, Italian, French
  "baja",
  "alto",
  "parar",
  "pare",
  "detener",
  "darme de baja",
  "cancelar suscripción",
  "detener promociones",
  "sair",
  "descadastrar",
  "cancelar inscrição",
  "parar promoções",
  "ferma",
  "disiscrivimi",
  "cancellami",
  "arrêt",
  "arrêter",
  "désabonner",
  "désinscrire",
  "se désabonner",
  "arrêter les promotions",
  // German, Dutch, the Nordic languages
  "stopp",
  "abmelden",
  "abbestellen",
  "afmelden",
  "uitschrijven",
  "avregistrera",
  "avmeld",
  "afmeld",
  "lopeta",
  // Polish, Czech, Romanian, Hungarian, Turkish, Greek
  "wypisz",
  "wypisz mnie",
  "odhlásit",
  "dezabonare",
  "leiratkozás",
  "durdur",
  "abonelikten çık",
  "σταμάτα",
  "διαγραφή",
  // Russian, Ukrainian
  "стоп",
  "отписаться",
  "отписка",
  "відписатися",
  // Arabic, Hebrew, Persian, Hindi, Bengali, Urdu
  "توقف",
  "إيقاف",
  "إلغاء الاشتراك",
  "הסר",
  "הסירו",
  "لغو",
  "रोकें",
  "बंद करें",
  "বন্ধ করুন",
  "بند کریں",
  // Indonesian and Malay, Vietnamese, Thai, Chinese, Japanese, Korean, Swahili
  "berhenti",
  "berhenti langganan",
  "hủy đăng ký",
  "ยกเลิก",
  "退订",
  "退訂",
  "停止",
  "配信停止",
  "수신거부",
  "acha",
];

const OPT_IN_WORDS: readonly string[] = [
  "start",
  "unstop",
  "subscribe",
  "opt in",
  "optin",
  "resume",
  "resume promotions",
  "alta",
  "suscribir",
  "suscribirme",
  "reanudar promociones",
  "inscrever",
  "retomar promoções",
  "iscrivimi",
  "s'abonner",
  "reprendre les promotions",
  "anmelden",
  "aanmelden",
  "anmäl",
  "påmeld",
  "tilmeld",
  "zapisz mnie",
  "abone ol",
  "старт",
  "подписаться",
  "підписатися",
  "اشترك",
  "הצטרף",
  "शुरू करें",
  "mulai",
  "đăng ký",
  "订阅",
  "訂閱",
  "配信再開",
  "수신동의",
];

/** A message longer than this is a sentence. The longest word of the lists has 24 characters. */
const MESSAGE_CHARACTERS_MAX = 60;

/** Words that one account may add, and their length; far more than any language needs. */
export const OWN_WORDS_MAX = 50;
export const OWN_WORD_CHARACTERS_MAX = 40;

/** Words of an account beside those that hold everywhere. */
export interface OwnConsentWords {
  readonly optOut?: readonly string[] | undefined;
  readonly optIn?: readonly string[] | undefined;
}

/**
 * A text without what people vary: case, accents, punctuation, emoji, spaces. Letters of every script stay; "Stop!!" and
 * "STÖP" become "stop".
 */
export function plainWord(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/['’]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

const OPT_OUT: ReadonlySet<string> = new Set(OPT_OUT_WORDS.map(plainWord));
const OPT_IN: ReadonlySet<string> = new Set(OPT_IN_WORDS.map(plainWord));

/** Whether the message is short enough to be such a word, of an account's own too. */
export function mayBeConsentWord(text: string): boolean {
  return text.length <= MESSAGE_CHARACTERS_MAX;
}

/**
 * What a customer's whole message says about marketing, or null when it is an ordinary message. "Please stop by
 * tomorrow" is ordinary: only the word alone counts.
 */
export function readConsentWord(text: string, own: OwnConsentWords = {}): ConsentWord | null {
  if (!mayBeConsentWord(text)) return null;
  const word = plainWord(text);
  if (word === "") return null;
  const isOneOf = (words: readonly string[] | undefined) => words?.some((each) => plainWord(each) === word);
  if (OPT_OUT.has(word) || isOneOf(own.optOut)) return "withdrawn";
  return OPT_IN.has(word) || isOneOf(own.optIn) ? "granted" : null;
}
