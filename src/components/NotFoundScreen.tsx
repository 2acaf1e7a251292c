import { CompassIcon } from "lucide-react";
import { Notice } from "./Notice";
import { Button } from "./ui/button";

export function NotFoundScreen() {
  return (
    <main className="h-dvh">
      <Notice title="There is no page at this address" icon={CompassIcon} heading="h1">
        <div className="mt-2 flex flex-wrap justify-center gap-2">
          <Button asChild>
            <a href="/dashboard">Open the inbox</a>
          </Button>
          <Button variant="outline" asChild>
            <a href="/">To the start page</a>
          </Button>
        </div>
      </Notice>
    </main>
  );
}
