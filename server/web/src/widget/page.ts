/** What the widget tells about the page: where the customer is, what can be pointed at, what just happened. */

import type { PageContext } from "../wire/types";
import { isShown, labelOf } from "./labels";

const MAX_ELEMENTS = 150;
const MAX_BYTES = 32 * 1024 - 512;
const MAX_ACTIONS = 10;
const MAX_ERRORS = 5;
const PRESSABLE = "[data-help], a[href], button, summary, [role=button], [role=tab], [role=menuitem], [role=link]";

function utf8Length(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function pushBounded(list: string[], entry: string, limit: number): void {
  if (!entry || list.at(-1) === entry) return;
  list.push(entry);
  if (list.length > limit) list.splice(0, list.length - limit);
}

/** Addresses in error texts may hold tokens: keep where, drop the query. */
function errorText(parts: readonly unknown[]): string {
  const texts = parts.map((part) => (part instanceof Error ? part.message : typeof part === "string" ? part : ""));
  return texts.join(" ").replace(/([?#])\S+/g, "$1…").replace(/\s+/g, " ").trim().slice(0, 200);
}

export interface PageWatcherOptions {
  /** Part of the path to leave out, e.g. "/demo". */
  routeBase: string;
  language: string;
  /** Where recent actions survive a page load within this tab; labels only. */
  actionsKey: string;
  onNavigate: () => void;
  /** Clicks inside the widget aren't actions on the page. */
  ignore: Element;
}

export class PageWatcher {
  readonly #options: PageWatcherOptions;
  readonly #errors: string[] = [];
  readonly #undo: (() => void)[] = [];
  #actions: string[];
  #route: string;
  #givenRoute: string | null = null;

  constructor(options: PageWatcherOptions) {
    this.#options = options;
    this.#actions = this.#storedActions();
    this.#route = this.route;
    this.#act(`opened ${this.#route}`);
    this.#watchClicks();
    this.#watchNavigation();
    this.#watchErrors();
  }

  get route(): string {
    const path = this.#givenRoute ?? location.pathname;
    const base = this.#options.routeBase.replace(/\/+$/, "");
    const rest = base && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) : path;
    return (rest || "/").slice(0, 300);
  }

  /** The page as it is now, cut to what the server takes. */
  context(): PageContext {
    const page: PageContext = {
      route: this.route,
      title: document.title.slice(0, 200),
      elements: this.#elements(),
      actions: [...this.#actions],
      errors: [...this.#errors],
      language: this.#options.language,
    };
    while (page.elements.length && utf8Length(page) > MAX_BYTES) {
      page.elements.length = Math.floor(page.elements.length * 0.8);
    }
    return page;
  }

  stop(): void {
    this.#undo.splice(0).forEach((undo) => undo());
  }

  #elements(): PageContext["elements"] {
    const found: PageContext["elements"] = [];
    for (const element of document.querySelectorAll("[data-help]")) {
      if (found.length >= MAX_ELEMENTS) break;
      const id = element.getAttribute("data-help")?.slice(0, 120) ?? "";
      if (!id || !isShown(element)) continue;
      found.push({ id, selector: `[data-help="${CSS.escape(id)}"]`, label: labelOf(element) });
    }
    return found;
  }

  #watchClicks(): void {
    this.#listen(document, "click", (event) => {
      const path = event.composedPath();
      if (path.includes(this.#options.ignore)) return;
      const target = path.find((node) => node instanceof Element);
      const pressed = target?.closest(PRESSABLE);
      const label = pressed && !pressed.closest(".driver-popover") ? labelOf(pressed) : "";
      if (label) this.#act(`clicked ${label}`);
    });
  }

  #watchNavigation(): void {
    const check = (): void => {
      if (this.route === this.#route) return;
      this.#route = this.route;
      this.#act(`opened ${this.#route}`);
      this.#options.onNavigate();
    };
    const later = (): void => {
      this.#givenRoute = null;
      // Routers set the address first and the page a moment later.
      setTimeout(check, 0);
    };
    this.#listen(window, "popstate", later);
    this.#listen(window, "hashchange", later);
    this.#listen(window, "helpgraph:navigate", (event) => {
      const detail = (event as CustomEvent<{ route?: unknown } | null>).detail;
      this.#givenRoute = typeof detail?.route === "string" ? detail.route : null;
      check();
    });
    for (const name of ["pushState", "replaceState"] as const) {
      const original = history[name];
      const hooked: typeof original = function (this: History, ...args) {
        original.apply(this, args);
        later();
      };
      history[name] = hooked;
      this.#undo.push(() => {
        // Somebody may have wrapped ours since; then it stays and only forwards.
        if (history[name] === hooked) history[name] = original;
      });
    }
  }

  #watchErrors(): void {
    const note = (...parts: unknown[]): void => pushBounded(this.#errors, errorText(parts), MAX_ERRORS);
    this.#listen(window, "error", (event) => note((event as ErrorEvent).message));
    this.#listen(window, "unhandledrejection", (event) => note((event as PromiseRejectionEvent).reason));
    const original = console.error;
    const hooked = (...args: unknown[]): void => {
      note(...args);
      original.apply(console, args);
    };
    console.error = hooked;
    this.#undo.push(() => {
      if (console.error === hooked) console.error = original;
    });
  }

  #listen(target: EventTarget, name: string, handler: (event: Event) => void): void {
    target.addEventListener(name, handler, { capture: true, passive: true });
    this.#undo.push(() => target.removeEventListener(name, handler, { capture: true }));
  }

  #act(entry: string): void {
    pushBounded(this.#actions, entry.slice(0, 120), MAX_ACTIONS);
    try {
      sessionStorage.setItem(this.#options.actionsKey, JSON.stringify(this.#actions));
    } catch {
      // Storage may be forbidden; then actions last as long as the page.
    }
  }

  #storedActions(): string[] {
    try {
      const stored: unknown = JSON.parse(sessionStorage.getItem(this.#options.actionsKey) ?? "[]");
      return Array.isArray(stored) ? stored.filter((entry) => typeof entry === "string").slice(-MAX_ACTIONS) : [];
    } catch {
      return [];
    }
  }
}
