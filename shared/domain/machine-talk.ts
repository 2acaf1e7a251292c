/**
 * The shapes in which texts speak to a machine, for `flagsOf`. Each has a limit on what may stand between its parts, so
 * that no text takes long. A new shape needs a row in the test, and an ordinary message that stands near it.
 */

/** Longer runs of Base64 than links and codes have, which only a machine reads. */
const BLOB_CHARACTERS_MIN = 240;

/** Shapes in the text as it is written, where upper case means something. */
export const CARRIERS: readonly RegExp[] = [
  /!?\[[^\]\n]{0,200}\]\(\s{0,5}(?:https?:)?\/\//i,
  /https?:\/\/[^\s?#]{1,500}\?[^\s]{0,300}[=&](?:\$?\{|%7B|<|\[|PASTE|INSERT|[A-Z]+(?:_[A-Z]+)+|CONVERSATION|HISTORY|MESSAGES?|SECRET|TOKEN|PASSWORD|CONTACTS)/,
  /\b(?:javascript:|data:text\/html|data:[\w/+.-]{1,60};base64,)/i,
  /<(?:img|iframe|script|object|embed)\b[^>]{0,300}\bsrc\s{0,3}=/i,
  new RegExp(`[A-Za-z0-9+/]{${BLOB_CHARACTERS_MIN}}`),
];

/** `\b` knows no letters outside ASCII. */
const word = (alternatives: string): string => `(?<![\\p{L}\\p{N}_])(?:${alternatives})(?![\\p{L}\\p{N}_])`;

const shape = (source: string): RegExp => new RegExp(source, "su");

/** One part, at most `gap` characters, and the other. */
const near = (first: string, gap: number, second: string): RegExp => shape(`${first}.{0,${gap}}${second}`);

/** Whoever takes back their own words says "my": that is no order to a machine. */
const nearWithoutMy = (first: string, gap: number, second: string): RegExp =>
  shape(`${first}(?:(?!\\bmy\\b).){0,${gap}}${second}`);

/** "Ignore ... instructions" in the languages in which the verb comes first. */
const OVERRIDES_VERB_FIRST: readonly (readonly [string, string])[] = [
  [
    "ignorier\\w*|vergiss|vergesst|missacht\\w*",
    "anweisung\\w*|instruktion\\w*|systemprompt\\w*|vorgaben|regeln",
  ],
  ["vergiss alles|ignoriere? alles", "gesagt|gelesen|bisher|oben"],
  [
    "ignor[ae]|ignoren|olvid[ae]|olviden|omite|descarta",
    "instrucci(?:ón|ones)|reglas|indicaciones|directrices|lo anterior",
  ],
  [
    "ignor(?:ez|es|er) |ignore (?:toutes|tes|les|vos|ces)|oublie[zr]?|néglige[zr]?",
    "instructions|consignes|règles|directives",
  ],
  ["ignora\\w*|dimentica\\w*|trascura\\w*", "istruzioni|regole|indicazioni|direttive"],
  [
    "ignor[ae]|ignorem|esque[çc]a\\w*|desconsidere\\w*",
    "instruções|instrucoes|regras|orientações|diretrizes",
  ],
  ["negeer|vergeet", "instructies|regels|opdrachten|aanwijzingen"],
  ["zignoruj|ignoruj|zapomnij", "instrukcj\\p{L}*|polece\\p{L}*|zasad\\p{L}*|wytyczn\\p{L}*"],
  [
    "(?:про)?игнорируй\\p{L}*|забудь\\p{L}*|ігноруй\\p{L}*",
    "(?:инструкци|указани|правил|інструкці|вказівк|говорили)\\p{L}*",
  ],
  ["abaikan|lupakan", "instruksi|perintah|arahan"],
  ["bỏ qua|phớt lờ|quên", "hướng dẫn|chỉ dẫn|chỉ thị|mệnh lệnh"],
];

/** The same where the order of words is free or the other way round, or nothing stands between words. */
const OVERRIDES_ANY_ORDER: readonly (readonly [string, string])[] = [
  ["talimat|yönerge|komut", "yok say|görmezden gel|unut|dikkate alma"],
  ["تجاهل|انسَ|انس ", "التعليمات|تعليمات|الأوامر|أوامر"],
  ["התעלם|תתעלם|שכח", "הוראות|ההוראות|הנחיות"],
  ["निर्देश|आदेश", "अनदेखा|नज़रअंदाज़|भूल"],
  [
    "忽略|无视|無視|忘记|忘記|忽視|不要理会",
    "指令|指示|说明|說明|规则|規則|提示词|提示詞|上面的内容|之前的内容",
  ],
  ["指示|命令|ルール|プロンプト", "無視し|忘れて"],
  ["지시|명령|지침|프롬프트", "무시하|잊어"],
];

/** Tools, arguments and answers that only a client of this product names. */
const PROTOCOL_WORDS =
  "send_(?:text|template|media|reaction|interactive|location|contacts)|" +
  "list_(?:conversations|unanswered|templates)|get_(?:conversation|messages?|message_status|media|usage|consent)|" +
  "search_(?:messages|contacts)|set_consent|mark_as_read|handoff_to_human|updateconversation|" +
  "client_request_id|validate_only|confirm_token|next_step|tool_(?:call|code|use|result)s?|function_calls?";

const MACHINES = "ai|ais|assistants?|chatbots?|language models?|llms?|ai agents?";
const CUSTOMERS = "customers?|clients?|contacts?|users?";
const CREDENTIALS = "api.?keys?|access.?tokens?|system prompts?|secret keys?";

const OVERRIDE: readonly RegExp[] = [
  nearWithoutMy(
    `${word("ignore|disregard|forget|override|bypass|overrule|set aside|stop following|do not follow|don't follow")}(?:(?!\\bmy\\b).){0,6}${word("all|any|everything|every|your|what|the|these|those|previous|prior|above|earlier|system")}`,
    40,
    word(
      "instructions?|prompts?|guidelines|guardrails|directives|programming|developers? (?:said|told)|(?:you (?:were|have been|are)|you've been) (?:told|given|instructed)",
    ),
  ),
  nearWithoutMy(
    word("ignore|disregard|forget"),
    12,
    word(
      "(?:previous|prior|above|earlier|preceding|system) (?:messages?|context|orders|rules|text|commands|directives)",
    ),
  ),
  ...OVERRIDES_VERB_FIRST.map(([verbs, nouns]) => near(word(verbs), 40, word(nouns))),
  ...OVERRIDES_ANY_ORDER.flatMap(([one, other]) => [
    near(`(?:${one})`, 40, `(?:${other})`),
    near(`(?:${other})`, 40, `(?:${one})`),
  ]),
  near(
    word("whenever|every time|from now on|when the next customer"),
    60,
    word("answer|reply|respond|forward|tell them|say that|you (?:must|will|are|should)"),
  ),
  shape(word("(?:save|store|write|commit|add) (?:this |it )?(?:in)?to (?:your |long.term )?memory")),
  near(
    word("do not|don't|never"),
    3,
    word(
      "(?:mention|reveal|tell|inform|report) (?:\\w+ )?(?:this message|this instruction|these instructions|the (?:user|owner|operator|admin|human))",
    ),
  ),
  shape(
    word(
      "(?:system|admin|safety) override|override mode|new task:|your (?:new|real) (?:task|goal|objective|instructions)",
    ),
  ),
  near(
    word("decode|decrypt|translate|read"),
    60,
    word("(?:and|then) (?:follow|execute|obey|do what it says)"),
  ),
];

const ROLE: readonly RegExp[] = [
  /<\|?\/?(?:im_start|im_end|system|assistant|endoftext|eot_id|start_header_id)\|?>/u,
  /\[\/?inst\]|<<\/?sys>>|\[\/?(?:system|developer|assistant|operator|admin|tool)\]|\{\{\s?(?:system|user|assistant)\s?\}\}/u,
  /<\/?(?:system|assistant|instructions?|trusted|untrusted|developer|operator|invoke|function|tool|parameter|admin)(?:[-_ ][^>]{0,80})?>/u,
  /\|\s{0,3}(?:system|assistant|developer)\s{0,3}\||#{2,}\s?(?:admin|system|instructions?|developer)\s?#{2,}/u,
  /(?:^|\n)\s{0,5}(?:human|user):[^\n]{0,500}\n\s{0,5}assistant:/u,
  /(?:^|\n)[\s>#*-]{0,6}(?:system|developer|operator|administrator|assistant)(?: (?:message|note|prompt|notice))?\s?:[^\n]{0,60}(?<!\p{L})(?:you|your|ignore|approve|override|instructions?|maintenance|policy|confirm|reveal|authori[sz]ed?)(?!\p{L})/u,
  near(
    word("new|updated|real|actual|following|hidden|secret"),
    3,
    word(`(?:system )?instructions? (?:for|to) (?:the |any |all )?(?:you|agents?|bots?|models?|${MACHINES})`),
  ),
  near(
    word("instructions? (?:of|from) (?:the|your)"),
    3,
    word("operator|system|developer|administrator|owner"),
  ),
  near(
    word("note|message|attention|instructions?|notice"),
    3,
    word(`(?:to|for) (?:the |any |all )?(?:${MACHINES})`),
  ),
  near(
    word("you are|you're|enter|activate|enable|switch to"),
    20,
    word("(?:maintenance|developer|debug|dan|god|admin|unrestricted|jailbreak|root) mode"),
  ),
  shape(
    word(
      "you (?:now )?work for (?:me|the sender)|you have a new (?:owner|boss|master|operator)|your new (?:owner|boss|master|operator)|(?:pretend|act) (?:to be|you are|as) (?:an? |my |the )?(?:personal )?(?:ai|admin\\w*|system|developer|secretary|operator)",
    ),
  ),
  near(
    word("i (?:hereby )?authori[sz]e you|you are (?:now )?authori[sz]ed"),
    20,
    word("disclose|share|send|reveal|give|tell"),
  ),
  near(
    word(`as an? (?:${MACHINES})|dear (?:ai|llm|language model)|if you are an? (?:bot|${MACHINES})`),
    40,
    word("you|must|should|please|then|send|reply|include|ignore"),
  ),
];

const TOOL: readonly RegExp[] = [
  shape(word(PROTOCOL_WORDS)),
  /pons:\/\/|"jsonrpc"|tools\/call|resources\/read/u,
  /(?<![\p{L}_])(?:untrusted|refused)"?\s{0,3}[:=]\s{0,3}(?:true|false)/u,
  /"(?:direction|role|tool|function|arguments|action)"\s{0,3}:\s{0,3}["{]/u,
  shape(
    word(
      "(?:call|invoke|execute) (?:the |your )?(?:\\w+ )?(?:tool|function|api)|use the messaging (?:tool|function)",
    ),
  ),
];

const SECRETS: readonly RegExp[] = [
  near(
    word(
      "your|paste|reveal|print|repeat|leak|output|reply with|answer with|you use|you were given|show me|send me|give me",
    ),
    30,
    word(
      `${CREDENTIALS}|credentials|(?:initial|original|hidden) (?:instructions|prompt)|environment variables`,
    ),
  ),
  near(word(CREDENTIALS), 20, word("that you use|you use|you have|you were given")),
  near(
    word("lists?|names?|numbers?|phone numbers|data|details|addresses|messages|conversations?|chats?"),
    4,
    word(`(?:of|from|with) (?:(?:all|every|your|the|other) ){1,3}(?:${CUSTOMERS})`),
  ),
  near(
    word("list|export|dump|leak"),
    3,
    word(`(?:all|every|your) (?:(?:the|your|other) ){0,2}(?:conversations?|chats?|${CUSTOMERS})`),
  ),
  near(
    word("send|forward|share|export|copy|give|post"),
    30,
    word(
      "(?:whole|entire|full|complete) (?:conversation|chat|history|thread)|(?:the |your )?(?:customer )?database|(?:chat|message|conversation) history",
    ),
  ),
  near(
    word("copy|paste|forward|disclose|repeat|leak"),
    20,
    word(`(?:last|previous|other|next|recent) (?:\\w+ )?(?:chats?|conversations?|${CUSTOMERS})`),
  ),
  near(
    word("disclose|know about|tell me about"),
    30,
    word(`(?:customer|client|person) before me|order history of|other (?:${CUSTOMERS})`),
  ),
  near(word("nummern|daten|namen|liste"), 12, word("anderen? kunden|aller kunden|ihrer kunden")),
  near(word("base de datos|lista|números|datos"), 8, "(?:de|con) (?:los |otros |todos los |sus )*clientes"),
  near(word("liste|numéros|données|base"), 8, "(?:de|des) (?:tous les |autres |vos )*clients"),
  /所有客户的(?:电话|信息|资料|名单)|全部客户|他の(?:顧客|お客様)の(?:情報|電話)/u,
];

/** Asking to be written to oneself is no relay. */
const RELAY: readonly RegExp[] = [
  shape(
    `${word("text|message|forward|send|write|whatsapp|tell")}(?!.{0,40}${word("me (?:at|on|under|via)|my (?:own |new |other )?(?:number|phone|mobile)")}).{0,60}(?:\\+|00)\\d[\\d ().-]{6,}\\d`,
  ),
  near(
    word("greet|message|text|write to|contact|notify"),
    10,
    word(`(?:every|all|each)(?: of)?(?: the| your)? (?:${CUSTOMERS})`),
  ),
  near(
    word("send|forward|text|message|write"),
    40,
    word("to (?:all|every|each) (?:numbers?|contacts?|conversations?|chats?)"),
  ),
];

/** Shapes in the text as a model would read it, in lower case. */
export const SHAPES = { override: OVERRIDE, role: ROLE, tool: TOOL, secrets: SECRETS, relay: RELAY } as const;
