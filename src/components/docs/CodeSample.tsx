import { CodeBlock, Pre } from "fumadocs-ui/components/codeblock";
import { type ComponentProps, isValidElement, type ReactNode } from "react";

const LABEL_CHARACTERS_MAX = 60;

/** A code block whose scrolling area says what it holds; the stock one has no name, which readers cannot tell apart. */
export function CodeSample({ children, ...props }: ComponentProps<"pre">) {
  const firstLine = textOf(children).trim().split("\n")[0] ?? "";
  return (
    <CodeBlock
      {...props}
      viewportProps={{ "aria-label": `Code: ${firstLine.slice(0, LABEL_CHARACTERS_MAX)}` }}
    >
      <Pre>{children}</Pre>
    </CodeBlock>
  );
}

/** The characters in a tree of elements. */
function textOf(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(textOf).join("");
  return isValidElement<{ children?: ReactNode }>(node) ? textOf(node.props.children) : "";
}
