import { Fragment, type ReactNode, useMemo } from "react";
import { parseWhatsAppText, type TextNode } from "@/lib/whatsapp-text";

/** A customer's words with WhatsApp's marks. Everything goes through React as text; nothing is read as HTML. */
export function MessageText({ text }: { text: string }) {
  const nodes = useMemo(() => parseWhatsAppText(text), [text]);
  return (
    <span dir="auto" className="whitespace-pre-wrap [overflow-wrap:anywhere]">
      {nodes.map(draw)}
    </span>
  );
}

function draw(node: TextNode, index: number): ReactNode {
  switch (node.kind) {
    case "text":
      return <Fragment key={index}>{node.text}</Fragment>;
    case "code":
      return (
        <code key={index} className="rounded bg-foreground/8 px-1 font-mono text-[0.875em]">
          {node.text}
        </code>
      );
    case "link":
      return (
        <a
          key={index}
          href={node.href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="underline underline-offset-2 hover:no-underline"
        >
          {node.text}
        </a>
      );
    case "bold":
      return <strong key={index}>{node.children.map(draw)}</strong>;
    case "italic":
      return <em key={index}>{node.children.map(draw)}</em>;
    case "strike":
      return <s key={index}>{node.children.map(draw)}</s>;
  }
}
