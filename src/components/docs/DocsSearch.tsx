"use client";

import { useDocsSearch } from "fumadocs-core/search/client";
import { staticClient } from "fumadocs-core/search/client/orama-static";
import {
  SearchDialog,
  SearchDialogClose,
  SearchDialogContent,
  SearchDialogHeader,
  SearchDialogIcon,
  SearchDialogInput,
  SearchDialogList,
  SearchDialogListItem,
  SearchDialogOverlay,
  type SharedProps,
} from "fumadocs-ui/components/dialog/search";
import { type ComponentProps, useMemo } from "react";

/** Search in the browser, over the index that was made at build time. */
export function DocsSearch(props: SharedProps) {
  const client = useMemo(() => staticClient({ from: "/api/search" }), []);
  const { search, setSearch, query } = useDocsSearch({ client });
  return (
    <SearchDialog search={search} onSearchChange={setSearch} isLoading={query.isLoading} {...props}>
      <SearchDialogOverlay />
      <SearchDialogContent>
        <SearchDialogHeader>
          <SearchDialogIcon />
          <SearchDialogInput />
          <SearchDialogClose aria-label="ESC, close the search" />
        </SearchDialogHeader>
        <SearchDialogList items={query.data === "empty" ? null : query.data} Item={SearchResult} />
      </SearchDialogContent>
    </SearchDialog>
  );
}

/** The stock row is a button that calls itself "selected", which a button cannot be. */
function SearchResult(props: ComponentProps<typeof SearchDialogListItem>) {
  return <SearchDialogListItem {...props} aria-selected={undefined} />;
}
