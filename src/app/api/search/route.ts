import { createFromSource } from "fumadocs-core/search/server";
import { source } from "@/lib/source";

/** The whole index as one file, made at build time; the search itself happens in the browser. */
export const revalidate = false;

export const { staticGET: GET } = createFromSource(source);
