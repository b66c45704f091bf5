/** Which links may be clicked: https, an exact host of the workspace's list, and nothing hidden in them. */

export interface LinkPolicy {
  /** Hosts (with a port if it isn't 443), lower case, compared exactly. */
  hosts: readonly string[];
  /** Addresses that may carry a query: those of the message's own citations. "any" is for text that people wrote. */
  queries: readonly string[] | "any";
}

export interface SafeLink {
  href: string;
  /** As the browser will ask for it: international names in punycode. */
  host: string;
}

const MAX_HREF = 2000;
// A browser drops tabs and line ends inside an address and reads "\" as "/", so what is shown would differ.
const MISLEADING = /[\u0000-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]/;

function parse(href: string): URL | null {
  if (href.length > MAX_HREF || MISLEADING.test(href)) return null;
  try {
    return new URL(href);
  } catch {
    return null;
  }
}

/** The link as it may be shown, or null when it must stay text. */
export function safeLink(href: string, policy: LinkPolicy): SafeLink | null {
  const url = parse(href);
  if (!url || url.protocol !== "https:" || url.username || url.password) return null;
  if (!/^https:\/\/[^/]/i.test(href)) return null;
  if (!policy.hosts.includes(url.host)) return null;
  if (url.search && policy.queries !== "any" && !policy.queries.includes(href)) return null;
  return { href: url.href, host: url.host };
}

/** The host of a web address that isn't a link, to say where it would have led; null for anything else. */
export function hostOf(href: string): string | null {
  const url = parse(href);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url.host : null;
}
