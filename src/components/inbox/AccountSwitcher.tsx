"use client";

import { ChevronsUpDownIcon } from "lucide-react";
import { goTo } from "@/hooks/use-inbox-place";
import type { Account } from "@/lib/backend";
import { formatPhone } from "@/lib/contact-name";
import { Badge } from "../ui/badge";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuTrigger,
} from "../ui/dropdown-menu";

/** The business number whose conversations are shown, and the way to the others. */
export function AccountSwitcher({ accounts, current }: { accounts: readonly Account[]; current: Account }) {
  const unreadElsewhere = accounts
    .filter(({ _id }) => _id !== current._id)
    .reduce((sum, { unreadCount }) => sum + unreadCount, 0);
  return (
    <DropdownMenu>
      <DropdownMenuTrigger className="touch-target flex min-w-0 flex-1 cursor-pointer items-center gap-2 rounded-md px-2 py-1 text-left hover:bg-sidebar-accent">
        <span className="sr-only">Business number: </span>
        <span className="grid min-w-0 grid-cols-1">
          <bdi className="truncate font-semibold text-sm leading-5">{current.name}</bdi>
          <span className="truncate text-muted-foreground text-xs leading-4">
            {formatPhone(current.phoneNumber)}
          </span>
        </span>
        {unreadElsewhere > 0 && (
          <Badge size="count">
            {unreadElsewhere}
            <span className="sr-only"> unread at other numbers</span>
          </Badge>
        )}
        <ChevronsUpDownIcon className="ml-auto size-4 shrink-0 text-muted-foreground" aria-hidden="true" />
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start" className="w-72">
        <DropdownMenuLabel>Business numbers</DropdownMenuLabel>
        <DropdownMenuRadioGroup value={current._id}>
          {accounts.map((account) => (
            <DropdownMenuRadioItem
              key={account._id}
              value={account._id}
              onSelect={() => goTo({ account: account._id })}
            >
              <span className="grid min-w-0 flex-1 grid-cols-1">
                <bdi className="truncate font-medium">{account.name}</bdi>
                <span className="truncate text-muted-foreground text-xs">
                  {formatPhone(account.phoneNumber)} · {account.role}
                </span>
              </span>
              {account.unreadCount > 0 && <Badge size="count">{account.unreadCount}</Badge>}
            </DropdownMenuRadioItem>
          ))}
        </DropdownMenuRadioGroup>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
