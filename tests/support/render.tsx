import { act, type ReactNode } from "react";
import { createRoot } from "react-dom/client";

export interface RenderedPage {
  readonly container: HTMLElement;
  rerender(element: ReactNode): Promise<void>;
  unmount(): Promise<void>;
}

/** Puts an element into the document as a browser would, effects included; `unmount` takes it away again. */
export async function render(element: ReactNode): Promise<RenderedPage> {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  const container = document.createElement("div");
  document.body.append(container);
  const root = createRoot(container);
  const rerender = (next: ReactNode) => act(async () => root.render(next));
  await rerender(element);
  return {
    container,
    rerender,
    unmount: async () => {
      await act(async () => root.unmount());
      container.remove();
    },
  };
}

/** Changes the text of a field the way typing does, so that React hears of it. */
export async function typeInto(field: HTMLTextAreaElement | HTMLInputElement, text: string): Promise<void> {
  const prototype =
    field instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  const setter = Object.getOwnPropertyDescriptor(prototype, "value")?.set;
  if (!setter) throw new Error("This document has fields without a value.");
  await act(async () => {
    setter.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Presses a key. Returns false when the page took it, as `dispatchEvent` does. */
export async function press(
  target: EventTarget,
  key: string,
  init: KeyboardEventInit = {},
): Promise<boolean> {
  let isUnhandled = true;
  await act(async () => {
    isUnhandled = target.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }),
    );
  });
  return isUnhandled;
}

/** The first element of the selector; a test that expects one fails here with the selector in its message. */
export function one<Kind extends Element>(
  container: ParentNode,
  selector: string,
  kind: new (...args: never[]) => Kind,
): Kind {
  const found = container.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} at "${selector}".`);
  return found;
}
