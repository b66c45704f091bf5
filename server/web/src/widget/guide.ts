/** Points at elements of the customer's page: one is a highlight, several are a walk. */

import { driver, type Driver, type DriveStep } from "driver.js";
import driverCss from "driver.js/dist/driver.css?inline";

import { visible } from "../render/parse";
import type { Guidance, WalkStep } from "../wire/types";
import { isShown } from "./labels";
import type { Strings } from "./strings";

const POPOVER_CSS = `
.driver-popover.hg-guide { color-scheme: light; background: #fff; color: #1a1d21; max-inline-size: min(340px, 90vw); }
.driver-popover.hg-guide .driver-popover-progress-text { color: #4b5563; }
.driver-popover.hg-guide button:focus-visible { outline: 3px solid #1d4ed8; outline-offset: 2px; }
.driver-popover.hg-guide .driver-popover-close-btn { color: #4b5563; }
.hg-pointed { outline: 3px solid #1d4ed8 !important; outline-offset: 3px !important; }
`;

let styled = false;

/** A constructed sheet needs no permission from the page's style policy. */
function addStyles(): void {
  if (styled) return;
  styled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(driverCss + POPOVER_CSS);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

function find(step: WalkStep): Element | null {
  const selectors = [`[data-help="${CSS.escape(step.element_id)}"]`, step.selector].filter(Boolean);
  for (const selector of selectors) {
    try {
      const element = Array.from(document.querySelectorAll(selector)).find(isShown);
      if (element && !element.closest("helpgraph-widget")) return element;
    } catch {
      // The selector came over the wire and may not be one.
    }
  }
  return null;
}

/** The steps whose elements are on the page now. */
export function presentSteps(guidance: Guidance): { step: WalkStep; element: Element }[] {
  return guidance.steps.flatMap((step) => {
    const element = find(step);
    return element ? [{ step, element }] : [];
  });
}

let running: Driver | null = null;

export function stopGuidance(): void {
  running?.destroy();
  running = null;
}

/** Show the steps that are there; false when none is. `onEnd` is called once the customer is through. */
export function showGuidance(guidance: Guidance, strings: Strings, onEnd: () => void): boolean {
  stopGuidance();
  const present = presentSteps(guidance);
  const first = present[0];
  if (!first) return false;
  addStyles();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const steps = present.map(({ step, element }, index): DriveStep => {
    // driver.js 1.8.0 writes texts as HTML: it gets blanks, and the hook below sets the words as text.
    const popover = {
      title: "\u00a0",
      description: "\u00a0",
      onPopoverRender: (shown: { title: HTMLElement; description: HTMLElement; closeButton: HTMLElement }) => {
        shown.title.textContent = visible(guidance.title);
        shown.description.textContent = visible(step.text);
        shown.title.dir = shown.description.dir = "auto";
        shown.closeButton.setAttribute("aria-label", strings.closeTour);
      },
      progressText: present.length > 1 ? `${index + 1} / ${present.length}` : "",
    };
    return { element, popover };
  });
  try {
    running = driver({
      steps,
      animate: !still,
      smoothScroll: !still,
      allowKeyboardControl: true,
      popoverClass: "hg-guide",
      showProgress: present.length > 1,
      nextBtnText: strings.next,
      prevBtnText: strings.previous,
      doneBtnText: strings.done,
      onDestroyed: () => {
        running = null;
        onEnd();
      },
    });
    running.drive();
  } catch {
    // A page that enforces Trusted Types refuses driver.js: point without words, they are in the message.
    running = null;
    pointAt(first.element, still);
    onEnd();
  }
  return true;
}

function pointAt(element: Element, still: boolean): void {
  element.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
  element.classList.add("hg-pointed");
  setTimeout(() => element.classList.remove("hg-pointed"), 6_000);
}
