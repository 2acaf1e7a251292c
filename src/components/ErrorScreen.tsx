"use client";

import { CloudOffIcon } from "lucide-react";
import { useRouter } from "next/navigation";
import { startTransition } from "react";
import { Notice } from "./Notice";
import { Button } from "./ui/button";

/** A page that could not be made, most often because the backend is not running yet. */
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
        <Button className="mt-2" onClick={retry}>
          Try again
        </Button>
      </Notice>
    </main>
  );
}
