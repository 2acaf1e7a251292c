import { notFound } from "next/navigation";
import { DocsArticle } from "@/components/docs/DocsArticle";
import { source } from "@/lib/source";

export default async function DocsPage({ params }: PageProps<"/docs/[[...slug]]">) {
  const page = source.getPage((await params).slug);
  if (!page) notFound();
  const { title, description, toc, body: Body } = page.data;
  return <DocsArticle title={title} description={description} toc={toc} Body={Body} />;
}

export function generateStaticParams() {
  return source.generateParams();
}

export async function generateMetadata({ params }: PageProps<"/docs/[[...slug]]">) {
  const page = source.getPage((await params).slug);
  if (!page) notFound();
  return { title: page.data.title, description: page.data.description };
}
