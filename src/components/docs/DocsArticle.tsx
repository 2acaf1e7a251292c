import type { TOCItemType } from "fumadocs-core/toc";
import { DocsBody, DocsDescription, DocsPage, DocsTitle } from "fumadocs-ui/layouts/docs/page";
import type { MDXContent } from "mdx/types";
import { docsComponents } from "./DocsComponents";
import { tableOfContents } from "./TableOfContents";

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
    <DocsPage toc={toc} slots={{ toc: tableOfContents }}>
      <DocsTitle>{title}</DocsTitle>
      <DocsDescription>{description}</DocsDescription>
      <DocsBody>
        <Body components={docsComponents} />
      </DocsBody>
    </DocsPage>
  );
}
