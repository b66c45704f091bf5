/** The one renderer of messages, shared by the widget and the inbox. */

import DOMPurify from "dompurify";

import { link, toDom } from "./dom";
import { safeLink } from "./links";
import { parseMarkdown, parsePlain, settled, visible } from "./parse";

export interface CitedSource {
  n: number;
  title: string;
  url: string | null;
}

export interface RenderOptions {
  linkHosts: readonly string[];
  /** What customers write is shown as they typed it; the bot and people write Markdown. */
  format: "markdown" | "plain";
  /** People may link with a query; the bot only to what it cites. */
  anyQuery?: boolean;
  streaming?: boolean;
  citations?: readonly CitedSource[];
  onCite?: (n: number) => void;
}

const TAGS = ["div", "p", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a", "bdi", "span", "br", "button"];
const ATTRIBUTES = ["class", "dir", "href", "target", "rel", "start", "tabindex", "type", "title", "aria-label"];

/** A message's text as elements that hold nothing but our node set. */
export function renderMessage(text: string, options: RenderOptions): HTMLElement {
  const sources = options.citations ?? [];
  const queries = options.anyQuery ? "any" : sources.flatMap((source) => (source.url ? [source.url] : []));
  const shown = options.streaming ? settled(text) : text;
  const nodes =
    options.format === "plain" ? parsePlain(shown) : parseMarkdown(shown, { hosts: options.linkHosts, queries });
  const root = toDom(nodes, {
    citations: new Map(sources.map((source) => [source.n, source.title])),
    ...(options.onCite ? { onCite: options.onCite } : {}),
  });
  return purified(root);
}

/** A citation's link, or its title as text when the address isn't one of the workspace's. */
export function renderSource(title: string, url: string | null, linkHosts: readonly string[]): HTMLElement {
  const label = document.createElement("bdi");
  label.textContent = visible(title);
  const safe = url ? safeLink(url, { hosts: linkHosts, queries: "any" }) : null;
  return safe ? link(safe.href, safe.host, label) : label;
}

/** The second wall: whatever a mistake above might let through stops here. Elements keep their listeners. */
function purified(root: HTMLElement): HTMLElement {
  DOMPurify.sanitize(root, {
    IN_PLACE: true,
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^https:\/\//,
    ADD_URI_SAFE_ATTR: ATTRIBUTES.filter((name) => name !== "href"),
  });
  return root;
}
