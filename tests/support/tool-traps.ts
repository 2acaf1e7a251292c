import type { ListedTool } from "./listed-tool";

type Schema = Record<string, unknown>;

/** Something about a tool that makes a client refuse it, and often all tools beside it. */
type Trap = {
  /** Who falls into it, and what happens. */
  why: string;
  isIn: (tool: ListedTool) => boolean;
  /** A tool that is fine, with only this wrong: shows that the check can fail. */
  example: (fine: ListedTool) => ListedTool;
};

/** The name under which our server is installed; clients put it before the names of its tools. */
const SERVER = "pons";

const SPEC_NAME_CHARS_MAX = 128;
const DIRECTORY_NAME_CHARS_MAX = 64;
const CURSOR_NAME_CHARS_MAX = 60;
const MODEL_NAME_CHARS_MAX = 64;
const DESCRIPTION_BYTES_MAX = 2_048;

/** The only format of a text that every client's model API knows. */
const KNOWN_FORMATS: ReadonlySet<unknown> = new Set(["date-time"]);

const CHOICES = ["oneOf", "anyOf", "allOf", "not", "if"];

/** Keywords that point elsewhere, or that clients for one dialect do not resolve. */
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef", "$defs", "definitions"];
const RARE = ["patternProperties", "unevaluatedProperties", "dependentSchemas", "prefixItems", "contains"];

const withInput = (tool: ListedTool, more: Schema): ListedTool => ({
  ...tool,
  inputSchema: { ...tool.inputSchema, ...more },
});
const withOutput = (tool: ListedTool, more: Schema): ListedTool => ({
  ...tool,
  outputSchema: { ...tool.outputSchema, ...more },
});
const withArgument = (tool: ListedTool, argument: Schema, name = "argument"): ListedTool =>
  withInput(tool, { properties: { ...Object(tool.inputSchema["properties"]), [name]: argument } });

/** Each trap by a name of its own. Where they are from: `why`. */
export const TRAPS: Readonly<Record<string, Trap>> = {
  "a name beyond the specification": {
    why: `MCP 2025-11-25 (SEP-986): 1 to ${SPEC_NAME_CHARS_MAX} of A-Z a-z 0-9 _ . -`,
    isIn: ({ name }) => !/^[A-Za-z0-9_.-]+$/.test(name) || name.length > SPEC_NAME_CHARS_MAX,
    example: (fine) => ({ ...fine, name: "send text" }),
  },
  "a name that a directory refuses": {
    why: "Anthropic's directory takes no longer ones.",
    isIn: ({ name }) => name.length > DIRECTORY_NAME_CHARS_MAX,
    example: (fine) => ({ ...fine, name: "x".repeat(DIRECTORY_NAME_CHARS_MAX + 1) }),
  },
  "a name too long beside the server's": {
    why: "Cursor leaves out tools whose name and server's name are longer together.",
    isIn: ({ name }) => SERVER.length + 1 + name.length > CURSOR_NAME_CHARS_MAX,
    example: (fine) => ({ ...fine, name: "x".repeat(CURSOR_NAME_CHARS_MAX - SERVER.length) }),
  },
  "a name that no model API takes once it is prefixed": {
    why: "Claude Code calls it mcp__pons__NAME; model APIs take 64 of A-Z a-z 0-9 _ -, so no dot.",
    isIn: ({ name }) =>
      !/^[A-Za-z0-9_-]+$/.test(name) || `mcp__${SERVER}__${name}`.length > MODEL_NAME_CHARS_MAX,
    example: (fine) => ({ ...fine, name: "send.text" }),
  },
  "an argument's name that model APIs refuse": {
    why: "Anthropic's Messages API refuses the whole request, with every other tool.",
    isIn: ({ inputSchema }) =>
      Object.keys(Object(inputSchema["properties"])).some((name) => !/^[A-Za-z0-9_.-]{1,64}$/.test(name)),
    example: (fine) => withArgument(fine, { type: "string" }, "since<"),
  },
  "a description that is cut": {
    why: "Claude Code cuts descriptions at 2 KB.",
    isIn: ({ description }) => Buffer.byteLength(description) > DESCRIPTION_BYTES_MAX,
    example: (fine) => ({ ...fine, description: "ü".repeat(DESCRIPTION_BYTES_MAX / 2 + 1) }),
  },
  "no title": {
    why: "Anthropic's directory asks for one on each tool.",
    isIn: ({ title }) => title.trim() === "",
    example: (fine) => ({ ...fine, title: "" }),
  },
  "a missing hint": {
    why: "OpenAI's directory asks for them on every tool; other clients take a missing one for the worst.",
    isIn: ({ annotations }) =>
      ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"].some(
        (hint) => typeof annotations[hint] !== "boolean",
      ),
    example: (fine) => ({ ...fine, annotations: { readOnlyHint: true } }),
  },
  "hints that contradict each other": {
    why: "A client that shows both cannot know which one holds.",
    isIn: ({ annotations }) =>
      annotations["readOnlyHint"] === true && annotations["destructiveHint"] === true,
    example: (fine) => ({
      ...fine,
      annotations: { ...fine.annotations, readOnlyHint: true, destructiveHint: true },
    }),
  },
  "an input that is no object": {
    why: "Claude Code drops all tools of the server (claude-code#88049).",
    isIn: ({ inputSchema }) => inputSchema["type"] !== "object",
    example: (fine) => withInput(fine, { type: "array" }),
  },
  "an output that is no object": {
    why: "Clients of the first SDK know no other (MCP 2025-06-18).",
    isIn: ({ outputSchema }) => outputSchema["type"] !== "object",
    example: (fine) => withOutput(fine, { type: "string" }),
  },
  "a choice at the top": {
    why: "Model APIs refuse oneOf, anyOf and allOf at the top of a schema, with every other tool.",
    isIn: ({ inputSchema, outputSchema }) =>
      CHOICES.some((word) => word in inputSchema || word in outputSchema),
    example: (fine) => withInput(fine, { oneOf: [{ required: ["a"] }, { required: ["b"] }] }),
  },
  "a reference": {
    why: "Some clients do not resolve any, and drop the argument or the tool.",
    isIn: (tool) => hasKeyword(tool, REFERENCES),
    example: (fine) => withArgument(fine, { $ref: "#/properties/other" }),
  },
  "a list of types": {
    why: 'Clients that expect one type fail at ["string", "null"]; what may be missing is optional instead.',
    isIn: (tool) => schemasOf(tool).some(({ type }) => Array.isArray(type)),
    example: (fine) => withArgument(fine, { type: ["string", "null"] }),
  },
  "a nullable value": {
    why: "Models fill in the text null, and OpenAPI's own word for it is no JSON Schema.",
    isIn: (tool) =>
      schemasOf(tool).some((schema) => schema["type"] === "null" || "nullable" in schema || hasNull(schema)),
    example: (fine) =>
      withOutput(fine, { properties: { at: { anyOf: [{ type: "string" }, { type: "null" }] } } }),
  },
  "an unknown format": {
    why: "Gemini refuses a schema with a format that it does not know.",
    isIn: (tool) => schemasOf(tool).some(({ format }) => format !== undefined && !KNOWN_FORMATS.has(format)),
    example: (fine) => withArgument(fine, { type: "string", format: "idn-hostname" }),
  },
  "a rare keyword": {
    why: "Only full validators of draft 2020-12 know it; others refuse the tool or ignore the rule.",
    isIn: (tool) => hasKeyword(tool, RARE),
    example: (fine) =>
      withArgument(fine, { type: "object", patternProperties: { "^x": { type: "string" } } }),
  },
  "an array of nobody knows what": {
    why: "VS Code and Gemini refuse an array without items.",
    isIn: (tool) =>
      schemasOf(tool).some((schema) => schema["type"] === "array" && !isSchema(schema["items"])),
    example: (fine) => withArgument(fine, { type: "array" }),
  },
  "a value of no type": {
    why: "Models then guess, and clients that need a type refuse it.",
    isIn: (tool) =>
      schemasOf(tool).some((schema) => !("type" in schema) && !("enum" in schema) && !("anyOf" in schema)),
    example: (fine) => withArgument(fine, { description: "Anything." }),
  },
  "an argument that takes unknown ones": {
    why: "A misspelt argument would be ignored, and a send would differ from what was meant.",
    isIn: ({ inputSchema }) => inputSchema["additionalProperties"] !== false,
    example: (fine) => withInput(fine, { additionalProperties: true }),
  },
  "a required argument that is not there": {
    why: "No call can fulfil it.",
    isIn: ({ inputSchema }) => {
      const required: unknown = inputSchema["required"] ?? [];
      const names = Object.keys(Object(inputSchema["properties"]));
      return !Array.isArray(required) || required.some((name) => !names.includes(name));
    },
    example: (fine) => withInput(fine, { required: ["no_such_argument"] }),
  },
};

/** The names of the traps that a tool would set for somebody. */
export const trapsOf = (tool: ListedTool): string[] =>
  Object.entries(TRAPS)
    .filter(([, { isIn }]) => isIn(tool))
    .map(([name]) => name);

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The schemas directly below one: of its properties, of its items and of what it chooses from. */
function below(schema: Schema): Schema[] {
  const choices = CHOICES.flatMap((word) => schema[word]);
  return [...Object.values(Object(schema["properties"])), schema["items"], ...choices].filter(isSchema);
}

const all = (schema: Schema): Schema[] => [schema, ...below(schema).flatMap(all)];

const schemasOf = ({ inputSchema, outputSchema }: ListedTool): Schema[] => [
  ...all(inputSchema),
  ...all(outputSchema),
];

const hasKeyword = (tool: ListedTool, words: readonly string[]): boolean =>
  schemasOf(tool).some((schema) => words.some((word) => word in schema));

const hasNull = ({ const: only, enum: values }: Schema): boolean =>
  only === null || (Array.isArray(values) && values.includes(null));
