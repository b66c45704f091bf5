/** Markdown to our node set. The tokenizer knows no raw HTML, no images and no reference definitions. */

import { Lexer, Tokenizer, type MarkedToken, type Token, type Tokens } from "marked";

import { hostOf, safeLink, type LinkPolicy } from "./links";
import { plainText, type Block, type Inline } from "./nodes";

const MAX_TEXT = 20_000;
const MAX_DEPTH = 8;
// The lexer recurses once per level, so a line of a thousand ">" would overflow its stack.
const TOO_DEEP = /^(?:[ \t]*(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){9,}/m;
// marked 18.2.1 takes quadratic time over emphasis; no honest answer of our length has so many marks.
const MAX_EMPHASIS_MARKS = 800;
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;
const CITE = /\[(\d{1,2})\](?!\()/g;

class PlainTokenizer extends Tokenizer {
  override html(): undefined {
    return undefined;
  }

  override tag(): undefined {
    return undefined;
  }

  override def(): undefined {
    return undefined;
  }

  override reflink(): undefined {
    return undefined;
  }
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

function decode(text: string): string {
  return text.replace(/&(?:#39|amp|lt|gt|quot|apos|nbsp);/g, (entity) =>
    entity === "&#39;" ? "'" : (ENTITIES[entity.slice(1, -1)] ?? entity),
  );
}

/** Drop what can't be seen and only serves to mislead: direction overrides, control and tag characters. */
export function visible(text: string): string {
  return text.slice(0, MAX_TEXT).replace(INVISIBLE, "");
}

/** Blocks of a Markdown text. It never throws: what can't be read as Markdown is one plain paragraph. */
export function parseMarkdown(markdown: string, policy: LinkPolicy): Block[] {
  const text = visible(markdown);
  if (!text.trim()) return [];
  const marks = text.match(/[*_]+/g)?.length ?? 0;
  if (marks > MAX_EMPHASIS_MARKS || TOO_DEEP.test(text)) return parsePlain(text);
  try {
    const tokens = new Lexer({ gfm: true, breaks: false, tokenizer: new PlainTokenizer() }).lex(text);
    return blocks(tokens, policy, 0);
  } catch {
    return parsePlain(text);
  }
}

/** A text without any form: one paragraph, its line ends kept. */
export function parsePlain(raw: string): Block[] {
  const children: Inline[] = [];
  visible(raw)
    .split("\n")
    .forEach((line, index) => {
      if (index) children.push({ kind: "break" });
      if (line) children.push({ kind: "text", text: line });
    });
  return children.length ? [{ kind: "paragraph", children }] : [];
}

function blocks(tokens: readonly Token[], policy: LinkPolicy, depth: number): Block[] {
  return tokens.flatMap((token) => block(token as MarkedToken, policy, depth));
}

function block(token: MarkedToken, policy: LinkPolicy, depth: number): Block[] {
  if (depth > MAX_DEPTH) return parsePlain(token.raw);
  switch (token.type) {
    case "space":
    case "hr":
    case "checkbox":
      return [];
    case "heading":
      return [{ kind: "heading", children: inlines(token.tokens, policy, depth + 1) }];
    case "code":
      return [{ kind: "code", text: token.text }];
    case "blockquote":
      return [{ kind: "quote", children: blocks(token.tokens, policy, depth + 1) }];
    case "list":
      return [list(token, policy, depth)];
    case "table":
      return [table(token, policy, depth)];
    case "paragraph":
    case "text":
      return [{ kind: "paragraph", children: inlines(token.tokens ?? [], policy, depth + 1) }];
    default:
      return parsePlain(token.raw);
  }
}

function list(token: Tokens.List, policy: LinkPolicy, depth: number): Block {
  return {
    kind: "list",
    ordered: token.ordered,
    start: Math.min(Number(token.start) || 1, 9999),
    items: token.items.map((item) => blocks(item.tokens, policy, depth + 1)),
  };
}

/** A table becomes lines of text: a narrow panel has no room for columns. */
function table(token: Tokens.Table, policy: LinkPolicy, depth: number): Block {
  const children: Inline[] = [];
  [token.header, ...token.rows].forEach((row, index) => {
    if (index) children.push({ kind: "break" });
    row.forEach((cell, column) => {
      if (column) children.push({ kind: "text", text: " | " });
      children.push(...inlines(cell.tokens, policy, depth + 1));
    });
  });
  return { kind: "paragraph", children };
}

function inlines(tokens: readonly Token[], policy: LinkPolicy, depth: number): Inline[] {
  return tokens.flatMap((token) => inline(token as MarkedToken, policy, depth));
}

function inline(token: MarkedToken, policy: LinkPolicy, depth: number): Inline[] {
  if (depth > MAX_DEPTH) return [{ kind: "text", text: token.raw }];
  switch (token.type) {
    case "strong":
      return [{ kind: "strong", children: inlines(token.tokens, policy, depth + 1) }];
    case "em":
      return [{ kind: "emphasis", children: inlines(token.tokens, policy, depth + 1) }];
    case "del":
      return inlines(token.tokens, policy, depth + 1);
    case "codespan":
      return [{ kind: "code", text: token.text }];
    case "br":
      return [{ kind: "break" }];
    case "image":
      return [{ kind: "text", text: decode(token.text) }];
    case "link":
      return link(token, policy, depth);
    case "text":
      return token.tokens ? inlines(token.tokens, policy, depth + 1) : cited(decode(token.text));
    case "escape":
      return [{ kind: "text", text: token.text }];
    case "checkbox":
      return [];
    default:
      return [{ kind: "text", text: token.raw }];
  }
}

function link(token: Tokens.Link, policy: LinkPolicy, depth: number): Inline[] {
  const children = unlinked(inlines(token.tokens, policy, depth + 1));
  const safe = safeLink(token.href, policy);
  if (safe) return [{ kind: "link", ...safe, children }];
  const host = hostOf(token.href);
  const known = !host || plainText(children).includes(host);
  return known ? children : [...children, { kind: "text", text: ` (${host})` }];
}

/** A link's label holds neither links nor citations. */
function unlinked(nodes: readonly Inline[]): Inline[] {
  return nodes.flatMap((node): Inline[] => {
    switch (node.kind) {
      case "link":
        return unlinked(node.children);
      case "cite":
        return [{ kind: "text", text: `[${node.n}]` }];
      case "emphasis":
      case "strong":
        return [{ ...node, children: unlinked(node.children) }];
      default:
        return [node];
    }
  });
}

function cited(text: string): Inline[] {
  const nodes: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(CITE)) {
    if (match.index > end) nodes.push({ kind: "text", text: text.slice(end, match.index) });
    nodes.push({ kind: "cite", n: Number(match[1]) });
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push({ kind: "text", text: text.slice(end) });
  return nodes;
}

// An unfinished link, image or citation at the very end, of a length that a real one can have.
const OPEN_TAIL = /(?:!?\[[^\]\n]{0,300}(?:\](?:\([^()\n]{0,2000})?)?|<?https?:\/\/\S{0,2000})$/i;

/** The part of a text still being written that won't change its form when the rest arrives. */
export function settled(markdown: string): string {
  const cut = OPEN_TAIL.exec(markdown);
  if (!cut) return markdown;
  // "[1]" is whole: only a "(" right after it could still turn it into something else.
  return /^\[\d{1,2}\]$/.test(cut[0]) ? markdown : markdown.slice(0, cut.index);
}
