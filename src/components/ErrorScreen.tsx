"use client";

import { CloudOffIcon } from "lucide-react";
import { useRouter } from "next/navigation";
import { startTransition } from "react";
import { Notice } from "./Notice";
import { buttonVariants } from "./ui/button-variants";

/**
 * A page that could not be made, most often because the backend is not running yet. Every page carries this one along,
 * so it is made of little.
 */
export function ErrorScreen({ onRetry }: { onRetry: () => void }) {
  const router = useRouter();
  const retry = () => {
    startTransition(() => {
      router.refresh();
      onRetry();
    });
  };
  return (
    <main className="h-dvh">
      <Notice title="Pons is not available at the moment" icon={CloudOffIcon} heading="h1" role="alert">
        <p>
          Its backend did not answer. If you run Pons yourself, look at the terminal, or open{" "}
          <a className="text-primary underline underline-offset-4" href="/api/health">
            the state of its parts
          </a>
          .
        </p>
        <button type="button" className={buttonVariants({ className: "mt-2" })} onClick={retry}>
          Try again
        </button>
      </Notice>
    </main>
  );
}
