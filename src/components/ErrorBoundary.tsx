"use client";

import { Component, type ReactNode } from "react";
import { type FailureWords, failureWords } from "@/lib/failure-words";
import { Notice } from "./Notice";
import { Button } from "./ui/button";

interface Props {
  readonly children: ReactNode;
  /** What did not work, for errors that do not say it themselves. */
  readonly title?: string;
  /** What else a person can do when trying again does not help. */
  readonly way?: ReactNode;
}

/** Shows what went wrong in one part of the page, and lets a person try that part again. The rest stays usable. */
export class ErrorBoundary extends Component<Props, { failure: FailureWords | null }> {
  override state: { failure: FailureWords | null } = { failure: null };

  static getDerivedStateFromError(error: unknown): { failure: FailureWords } {
    return { failure: failureWords(error) };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === null) return this.props.children;
    const title = failure.code === "internal" && this.props.title ? this.props.title : failure.message;
    return (
      <Notice title={title} role="alert">
        {failure.nextStep && <p>{failure.nextStep}</p>}
        <div className="mt-2 flex flex-wrap justify-center gap-2">
          <Button variant="outline" onClick={() => this.setState({ failure: null })}>
            Try again
          </Button>
          {this.props.way}
        </div>
      </Notice>
    );
  }
}
