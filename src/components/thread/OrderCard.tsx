import { ShoppingBagIcon } from "lucide-react";
import type { Message } from "@/lib/backend";
import { money } from "@/lib/money";
import { orderPieces, orderTotal } from "@/lib/order-total";

type Order = NonNullable<Message["order"]>;

/** What a customer ordered from the catalogue: each line, and what it costs together. */
export function OrderCard({ order }: { order: Order }) {
  const total = orderTotal(order);
  const hidden = order.itemCount - order.items.length;
  return (
    <section aria-label="Order" className="my-1 w-72 max-w-full rounded-lg bg-foreground/6 text-sm">
      <header className="flex items-center gap-3 p-2.5">
        <span className="flex size-10 shrink-0 items-center justify-center rounded-lg bg-foreground/8">
          <ShoppingBagIcon className="size-5 text-bubble-muted" aria-hidden="true" />
        </span>
        <span className="grid min-w-0">
          <span className="font-medium">Order</span>
          <span className="text-bubble-muted text-xs">{countWords(order)}</span>
        </span>
      </header>
      {order.items.length > 0 && (
        <ul aria-label="Items" className="grid gap-1.5 border-foreground/10 border-t p-2.5">
          {order.items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of an order never change, and two may be alike
            <li key={index} className="flex items-baseline gap-2">
              <span className="min-w-7 shrink-0 text-bubble-muted tabular-nums">{item.quantity ?? 1} ×</span>
              <bdi dir="auto" className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                {item.productId ?? "A product"}
              </bdi>
              {item.price !== undefined && (
                <span className="shrink-0 tabular-nums">
                  {money(item.price * (item.quantity ?? 1), item.currency)}
                </span>
              )}
            </li>
          ))}
          {hidden > 0 && <li className="text-bubble-muted text-xs">and {hidden} more</li>}
        </ul>
      )}
      {total && (
        <p className="flex items-baseline justify-between gap-2 border-foreground/10 border-t p-2.5 font-medium">
          <span>Total</span>
          <span className="tabular-nums">{money(total.amount, total.currency)}</span>
        </p>
      )}
    </section>
  );
}

function countWords(order: Order): string {
  const pieces = orderPieces(order) ?? order.itemCount;
  return `${pieces} ${pieces === 1 ? "item" : "items"}`;
}
