"use client";

import { ErrorScreen } from "@/components/ErrorScreen";

export default function AppError({ reset }: { error: Error; reset: () => void }) {
  return <ErrorScreen onRetry={reset} />;
}
