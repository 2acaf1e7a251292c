import { loader } from "fumadocs-core/source";
import { applyMdxPreset } from "fumadocs-mdx/config";
import { defineDocs } from "fumadocs-mdx/macro";

/** The high-contrast themes are the ones whose every colour passes WCAG AA on our grounds. */
const docs = defineDocs({
  dir: "content/docs",
  docs: {
    mdxOptions: applyMdxPreset({
      rehypeCodeOptions: {
        themes: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
      },
    }),
  },
});

/** The pages of `content/docs`, with their tree and addresses. */
export const source = loader({ baseUrl: "/docs", source: docs.toFumadocsSource() });
