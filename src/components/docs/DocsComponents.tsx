import { Tab, Tabs } from "fumadocs-ui/components/tabs";
import defaultMdxComponents from "fumadocs-ui/mdx";
import { CodeSample } from "./CodeSample";

/** What the pages in `content/docs` may use without importing it. */
export const docsComponents = { ...defaultMdxComponents, pre: CodeSample, Tab, Tabs };
