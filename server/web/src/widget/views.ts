/** Pieces of the panel, each a plain function of what it shows. */

import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";

import { renderMessage, renderSource } from "../render/index";
import { visible } from "../render/parse";
import { sourceTitle, type Guidance, type ModeValue } from "../wire/types";
import { fill, type Strings } from "./strings";
import type { Notice, ShownMessage, Transcript } from "./transcript";

export interface ViewContext {
  strings: Strings;
  language: string;
  linkHosts: readonly string[];
  supportEmail: string | null;
  say: (text: string) => void;
  retry: (message: ShownMessage) => void;
  feedback: (message: ShownMessage, helpful: boolean) => void;
  show: (guidance: Guidance) => void;
  cite: (message: ShownMessage, n: number) => void;
  dropNotice: (notice: Notice) => void;
}

/** The time of a promise where the customer is, with its zone, and with the day when it isn't today. */
export function whenText(iso: string, language: string, now = new Date()): string {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return "";
  const today = when.toDateString() === now.toDateString();
  const options: Intl.DateTimeFormatOptions = today
    ? { hour: "numeric", minute: "2-digit", timeZoneName: "short" }
    : { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit", timeZoneName: "short" };
  return new Intl.DateTimeFormat(language, options).format(when);
}

/** Who speaks now, when that isn't simply the bot. */
export function bannerText(mode: ModeValue, strings: Strings, language: string): string {
  switch (mode.mode) {
    case "waiting": {
      const time = mode.promised_by ? whenText(mode.promised_by, language) : "";
      if (!time) return strings.waitingSoon;
      return fill(mode.in_business_hours === false ? strings.waitingClosed : strings.waiting, { time });
    }
    case "with_person":
      return fill(strings.withPerson, { name: visible(mode.person ?? "") || strings.person });
    case "handed_back":
      return strings.handedBack;
    case "closed":
      return strings.closed;
    default:
      return "";
  }
}

function whoText(message: ShownMessage, strings: Strings): string {
  if (message.author === "customer") return strings.you;
  if (message.author === "person") return visible(message.author_name ?? "") || strings.person;
  return strings.bot;
}

/** A finished message as a screen reader says it. */
export function spokenText(message: ShownMessage, strings: Strings): string {
  const words = renderMessage(message.text, { linkHosts: [], format: "markdown" }).textContent ?? "";
  return `${whoText(message, strings)}: ${words}`.slice(0, 2_000);
}

/** Messages and notices in the order in which they happened. */
export function logView(transcript: Transcript, ctx: ViewContext): unknown {
  const messages = transcript.messages;
  const last = messages.at(-1);
  const rows = [
    ...messages.map((message) => ({
      key: message.message_id,
      order: message.order,
      view: () => messageView(message, ctx, message === last && !transcript.running),
    })),
    ...transcript.notices.map((notice) => ({
      key: notice.key,
      order: notice.order,
      view: () => noticeView(notice, ctx),
    })),
  ].sort((a, b) => a.order - b.order);
  return repeat(
    rows,
    (row) => row.key,
    (row) => row.view(),
  );
}

/** What only says that a person comes has helped nobody yet, and a "yes" below a question of ours answers it. */
const UNRATED = new Set(["handed_off", "delivered", "contact_taken", "asked"]);

function messageView(message: ShownMessage, ctx: ViewContext, newest: boolean): TemplateResult {
  const own = message.author === "customer";
  const done = !message.streaming;
  return html`<article class="message ${message.author}" data-message-id=${message.message_id}>
    <div class=${own ? "sr" : "who"}><bdi>${whoText(message, ctx.strings)}</bdi></div>
    <div class="bubble" aria-busy=${message.streaming ? "true" : "false"}>
      ${guard([message.text, message.streaming, message.citations, ctx.linkHosts], () =>
        renderMessage(message.text, {
          linkHosts: ctx.linkHosts,
          format: own ? "plain" : "markdown",
          anyQuery: message.author === "person",
          streaming: message.streaming,
          citations: message.citations,
          onCite: (n) => ctx.cite(message, n),
        }),
      )}
    </div>
    ${own ? deliveryView(message, ctx) : nothing} ${sourcesView(message, ctx)} ${ticketView(message, ctx)}
    ${done && message.guidance?.steps.length ? guidanceView(message.guidance, ctx) : nothing}
    ${done && message.author === "bot" && !UNRATED.has(message.outcome ?? "") ? feedbackView(message, ctx) : nothing}
    ${done && newest && message.quick_replies.length ? quickRepliesView(message, ctx) : nothing}
  </article>`;
}

function deliveryView(message: ShownMessage, ctx: ViewContext): unknown {
  switch (message.delivery) {
    case "sending":
      return html`<div class="under">${ctx.strings.sending}</div>`;
    case "held":
      return html`<div class="under">${ctx.strings.offline}</div>`;
    case "failed":
      return html`<div class="row bad">
        <span>${ctx.strings.notSent} <bdi>${message.trouble}</bdi></span>
        <button class="chip" type="button" @click=${() => ctx.retry(message)}>${ctx.strings.retry}</button>
        ${byEmailView(ctx)}
      </div>`;
    default:
      return nothing;
  }
}

/** The way around the chat, for when it fails. */
export function byEmailView({ supportEmail, strings }: ViewContext): unknown {
  if (!supportEmail) return nothing;
  const [before = "", after = ""] = strings.byEmail.split("{address}");
  return html`<div>${before}<a href="mailto:${encodeURI(supportEmail)}"><bdi>${supportEmail}</bdi></a>${after}</div>`;
}

function sourcesView(message: ShownMessage, ctx: ViewContext): unknown {
  if (!message.citations.length) return nothing;
  return html`<div class="under">
    ${ctx.strings.sources}
    <ol>
      ${message.citations.map((source) => {
        const title = sourceTitle(source);
        return html`<li value=${source.n} data-source=${source.n} tabindex="-1">
          ${guard([title, source.url, ctx.linkHosts], () => renderSource(title, source.url, ctx.linkHosts))}
        </li>`;
      })}
    </ol>
  </div>`;
}

function ticketView(message: ShownMessage, ctx: ViewContext): unknown {
  const ticket = message.ticket;
  if (!ticket) return nothing;
  const template = ticket.is_new ? ctx.strings.ticketNew : ctx.strings.ticketKnown;
  const values = { title: visible(ticket.title), id: ticket.bug_id, count: ticket.occurrences };
  return html`<div class="under ticket"><bdi>${fill(template, values)}</bdi></div>`;
}

function guidanceView(guidance: Guidance, ctx: ViewContext): TemplateResult {
  return html`<div class="row">
    <button class="primary show" type="button" @click=${() => ctx.show(guidance)}>${ctx.strings.show}</button>
  </div>`;
}

function feedbackView(message: ShownMessage, ctx: ViewContext): TemplateResult {
  const { strings } = ctx;
  const button = (helpful: boolean, label: string): TemplateResult =>
    html`<button
      class="chip"
      type="button"
      aria-pressed=${message.helpful === helpful ? "true" : "false"}
      @click=${() => ctx.feedback(message, helpful)}
    >
      ${label}
    </button>`;
  return html`<div class="row feedback" role="group" aria-label=${strings.helpful}>
    <span class="under">${message.helpful === null ? strings.helpful : strings.thanks}</span>
    ${button(true, strings.yes)}${button(false, strings.no)}
  </div>`;
}

function quickRepliesView(message: ShownMessage, ctx: ViewContext): TemplateResult {
  return html`<div class="row quick">
    ${message.quick_replies.map(
      (reply) =>
        html`<button class="chip" type="button" @click=${() => ctx.say(reply.text)}>
          <bdi>${visible(reply.label)}</bdi>
        </button>`,
    )}
  </div>`;
}

function noticeView(notice: Notice, ctx: ViewContext): TemplateResult {
  const again = notice.again;
  const retry = (): void => {
    ctx.dropNotice(notice);
    if (again !== null) ctx.say(again);
  };
  return html`<div class="notice">
    <bdi>${visible(notice.text)}</bdi>
    ${again === null
      ? nothing
      : html`<button class="chip" type="button" @click=${retry}>${ctx.strings.retry}</button>`}
  </div>`;
}

export function thinkingView(strings: Strings): TemplateResult {
  return html`<div class="dots" role="img" aria-label=${strings.thinking}><i></i><i></i><i></i></div>`;
}

/** What the panel says before anything was said: the page's opening and its suggestions. */
export function openingView(opening: string, suggestions: readonly string[], ctx: ViewContext): TemplateResult {
  return html`<div class="message bot opening">
      <div class="bubble">
        ${guard([opening, ctx.linkHosts], () =>
          renderMessage(opening, { linkHosts: ctx.linkHosts, format: "markdown" }),
        )}
      </div>
    </div>
    ${suggestions.length
      ? html`<div class="row" role="group" aria-label=${ctx.strings.suggestions}>
          ${suggestions.map(
            (text) =>
              html`<button class="chip suggestion" type="button" @click=${() => ctx.say(text)}>
                <bdi>${visible(text)}</bdi>
              </button>`,
          )}
        </div>`
      : nothing}`;
}
