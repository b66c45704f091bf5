/** Our node set to elements: createElement and textContent only, so no text can become markup. */

import type { Block, Inline } from "./nodes";

export interface DomOptions {
  /** Called when the marker [n] is pressed; numbers that aren't in `citations` stay text. */
  onCite?: (n: number) => void;
  citations: ReadonlyMap<number, string>;
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className?: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Elements for `nodes`, each block with its own text direction. */
export function toDom(nodes: readonly Block[], options: DomOptions): HTMLElement {
  return element("div", "md", ...nodes.map((node) => block(node, options)));
}

function block(node: Block, options: DomOptions): HTMLElement {
  switch (node.kind) {
    case "paragraph": {
      const made = element("p", undefined, ...inlines(node.children, options));
      made.dir = "auto";
      return made;
    }
    case "heading": {
      const made = element("p", "md-heading", element("strong", undefined, ...inlines(node.children, options)));
      made.dir = "auto";
      return made;
    }
    case "quote":
      return element("blockquote", undefined, ...node.children.map((child) => block(child, options)));
    case "code": {
      const made = element("pre", undefined, element("code", undefined, node.text));
      made.dir = "ltr";
      // A block that scrolls must be reachable without a mouse.
      made.tabIndex = 0;
      return made;
    }
    case "list": {
      const items = node.items.map((item) => {
        const made = element("li", undefined, ...item.map((child) => block(child, options)));
        made.dir = "auto";
        return made;
      });
      const made = element(node.ordered ? "ol" : "ul", undefined, ...items);
      if (node.ordered && node.start !== 1) made.setAttribute("start", String(node.start));
      return made;
    }
  }
}

function inlines(nodes: readonly Inline[], options: DomOptions): Node[] {
  return nodes.map((node) => inline(node, options));
}

function inline(node: Inline, options: DomOptions): Node {
  switch (node.kind) {
    case "text":
      return document.createTextNode(node.text);
    case "code": {
      const made = element("code", undefined, node.text);
      made.dir = "ltr";
      return made;
    }
    case "emphasis":
      return element("em", undefined, ...inlines(node.children, options));
    case "strong":
      return element("strong", undefined, ...inlines(node.children, options));
    case "break":
      return element("br");
    case "cite":
      return cite(node.n, options);
    case "link": {
      const made = link(node.href, node.host, element("bdi", undefined, ...inlines(node.children, options)));
      return made;
    }
  }
}

/** A link with its host in sight, unless the label already shows it. The address must come from `safeLink`. */
export function link(href: string, host: string, label: HTMLElement): HTMLAnchorElement {
  const made = element("a", "md-link", label);
  made.href = href;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  if (!label.textContent?.startsWith(`https://${host}`)) {
    const shown = element("span", "md-host", ` (${host})`);
    shown.dir = "ltr";
    made.append(shown);
  }
  return made;
}

function cite(n: number, options: DomOptions): Node {
  const title = options.citations.get(n);
  if (title === undefined) return document.createTextNode(`[${n}]`);
  const made = element("button", "md-cite", String(n));
  made.type = "button";
  made.title = title;
  made.setAttribute("aria-label", `[${n}] ${title}`);
  made.addEventListener("click", () => options.onCite?.(n));
  return made;
}
