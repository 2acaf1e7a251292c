import type { TOCItemType } from "fumadocs-core/toc";
import defaultMdxComponents from "fumadocs-ui/mdx";
import { DocsBody, DocsDescription, DocsPage, DocsTitle } from "fumadocs-ui/page";
import type { MDXContent } from "mdx/types";

/** One page of the documentation. */
export function DocsArticle({
  title,
  description,
  toc,
  Body,
}: {
  title: string | undefined;
  description: string | undefined;
  toc: TOCItemType[];
  Body: MDXContent;
}) {
  return (
    <DocsPage toc={toc}>
      <DocsTitle>{title}</DocsTitle>
      <DocsDescription>{description}</DocsDescription>
      <DocsBody>
        <Body components={defaultMdxComponents} />
      </DocsBody>
    </DocsPage>
  );
}
