/** What the pages of the team have in common: words for values, and the frame. */

import { html, nothing, type TemplateResult } from "lit";

import { visible } from "../render/parse";
import { Problem } from "../wire/http";

/** "wants_person" as people write it. */
export function spoken(name: string): string {
  const words = visible(name).replace(/[_.]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A queue as the workspace calls it. */
export function queueName(queueId: string, names: Record<string, string> | undefined): string {
  return visible(names?.[queueId] ?? "") || spoken(queueId);
}

/** What the address' hash names, as in `#/c/ID`; null when it names nothing, or nothing that can be read. */
export function named(letter: string): string | null {
  const match = new RegExp(`^#/${letter}/([^/]+)$`).exec(location.hash);
  try {
    return match?.[1] ? decodeURIComponent(match[1]) : null;
  } catch {
    return null;
  }
}

export function when(iso: string | null | undefined): string {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** How long ago, in the largest unit that fits. */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  const minutes = Math.round((now - Date.parse(iso ?? "")) / 60_000);
  if (Number.isNaN(minutes)) return "";
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export function mood(sentiment: number): string {
  if (sentiment <= -0.6) return "very unhappy";
  if (sentiment <= -0.2) return "unhappy";
  return sentiment < 0.3 ? "neutral" : "content";
}

export function number(value: number | string): string {
  return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : visible(value);
}

/** Text from outside, isolated so that its direction can't reorder its neighbours. */
export function text(value: string | null | undefined): TemplateResult | typeof nothing {
  return value ? html`<bdi dir="auto">${visible(value)}</bdi>` : nothing;
}

export function troubleText(error: unknown): string {
  if (!(error instanceof Problem)) return "Something went wrong. Please try again.";
  if (error.status === 0) return "The server can't be reached.";
  const wait = error.retryAfterMs ? ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : "";
  return (error.detail || `The server answered ${error.status}.`) + wait;
}

type Page = "inbox" | "bugs" | "ops";

/** Past what stands before it on every page; a link's hash would be taken for a conversation's address. */
function skip(event: Event): void {
  event.preventDefault();
  const places = ["main .detail h1", "main h1", "main h2"];
  places.map((place) => document.querySelector<HTMLElement>(place)).find(Boolean)?.focus();
}

export interface HeaderModel {
  current: Page;
  live: boolean;
  /** Who is signed in, and the way out. */
  who: TemplateResult | typeof nothing;
  main?: string;
}

export function headerView({ current, live, who, main = "the page" }: HeaderModel): TemplateResult {
  const link = (page: Page, label: string): TemplateResult =>
    html`<a href=${page} aria-current=${current === page ? "page" : nothing}>${label}</a>`;
  return html`<header class="top">
    <a class="skip" href="#" @click=${skip}>Skip to ${main}</a>
    <nav aria-label="Pages">${link("inbox", "Inbox")} ${link("bugs", "Bugs")} ${link("ops", "Operations")}</nav>
    ${who}
    <span class="live" role="status">${live ? "Live" : "Connecting…"}</span>
  </header>`;
}

/** Run `action` once things have been quiet for `ms`. */
export function debounce(action: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  };
}
