/** Keyboard order inside a full-screen panel. */

import { isShown } from "./labels";

const REACHABLE = ".panel :is(button:not([disabled]), a[href], input, textarea, [tabindex='0'])";

/** Let Tab go round inside the panel instead of into the page behind it. */
export function keepFocusInside(root: ShadowRoot, event: KeyboardEvent): void {
  const all = Array.from(root.querySelectorAll<HTMLElement>(REACHABLE));
  const reachable = all.filter(isShown);
  const edge = event.shiftKey ? reachable[0] : reachable.at(-1);
  if (root.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? reachable.at(-1) : reachable[0])?.focus();
}
