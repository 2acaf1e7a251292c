"use client";

import { SearchIcon } from "lucide-react";
import type { Ref } from "react";
import { Button } from "../ui/button";
import { Input } from "../ui/input";

/** Narrows the list to a name or number, and to what is unread. Escape empties the field, then leaves it. */
export function ConversationFilter({
  text,
  onText,
  isUnreadOnly,
  onUnreadOnly,
  ref,
}: {
  text: string;
  onText: (text: string) => void;
  isUnreadOnly: boolean;
  onUnreadOnly: (on: boolean) => void;
  ref: Ref<HTMLInputElement>;
}) {
  return (
    <search className="flex gap-2 px-3 pb-2">
      <div className="relative min-w-0 flex-1">
        <SearchIcon
          className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-3 size-4 text-muted-foreground"
          aria-hidden="true"
        />
        <Input
          ref={ref}
          type="search"
          aria-label="Filter conversations by name or number"
          placeholder="Filter by name or number"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            if (text === "") event.currentTarget.blur();
            else onText("");
          }}
          className="border-transparent bg-foreground/6 pl-9 [&::-webkit-search-cancel-button]:appearance-none"
        />
      </div>
      <Button
        variant="outline"
        aria-pressed={isUnreadOnly}
        onClick={() => onUnreadOnly(!isUnreadOnly)}
        className="px-3 font-normal aria-pressed:border-primary aria-pressed:font-medium aria-pressed:text-primary"
      >
        Unread
      </Button>
    </search>
  );
}
