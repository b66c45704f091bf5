/** One conversation: its story, its messages, and what a person can do with it. */

import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";

import { renderMessage, renderSource } from "../render/index";
import { completeMessage, sourceTitle } from "../wire/types";
import type { Act, ConversationView, Outcome, StaffMessage, You } from "./api";
import { spoken, text, when } from "./shared";
import { decisionView, evidenceView, storyView } from "./story";

export interface DetailModel {
  view: ConversationView;
  you: You;
  person: string;
  busy: boolean;
  trouble: string;
  draft: string;
  onPerson: (person: string) => void;
  onTake: () => void;
  onDraft: (text: string) => void;
  /** `over`: take the conversation from whoever has it first. */
  onReply: (text: string, over: boolean) => Promise<boolean>;
  onHandBack: (note: string) => Promise<boolean>;
  onResolve: (outcome: Outcome, note: string) => Promise<boolean>;
}

const OUTCOMES: [Outcome, string][] = [
  ["solved", "Solved"],
  ["not_solved", "Not solved"],
  ["duplicate", "Duplicate"],
  ["spam", "Spam"],
];

/** What stands there until the conversation is here. */
export function loadingView(trouble: string): TemplateResult {
  return html`<section class="detail" aria-label="Conversation">
    <p class="back"><a href="#/">Back to the list</a></p>
    <h1 tabindex="-1">${trouble ? "Conversation" : "Loading…"}</h1>
    <p class="bad" role="alert">${trouble}</p>
  </section>`;
}

export function detailView(model: DetailModel): TemplateResult {
  const { view } = model;
  const hosts = view.workspace?.link_hosts ?? [];
  return html`<section class="detail conversation" aria-label="Conversation">
    <header class="about">
      <p class="back"><a href="#/">Back to the list</a></p>
      <h1 tabindex="-1">${text(view.handoff?.wanted || "Conversation")}</h1>
      <a class="skip" href="#" @click=${skipToActions}>Skip to what you can do</a>
      <p class="muted">
        ${spoken(view.conversation.mode)}${view.conversation.person ? html`: ${text(view.conversation.person)}` : nothing}
      </p>
    </header>
    <div class="reading">
      ${storyView(view, hosts)}
      <h2>Conversation</h2>
      <div class="messages" role="log" aria-label="Messages" tabindex="0">
        ${actsAfter(view, null)}
        ${repeat(
          view.messages,
          (message) => message.message_id,
          (message) => html`${messageView(message, hosts)} ${actsAfter(view, message.message_id)}`,
        )}
      </div>
    </div>
    <div class="actions">
      <p class="bad" role="alert">${model.trouble}</p>
      ${model.you.role === "viewer" ? html`<p class="muted">You may read, and not answer.</p>` : actionsView(model)}
    </div>
  </section>`;
}

const DONE: Record<Act["kind"], string> = {
  asked: "A person was asked for",
  taken: "Taken",
  handed_back: "Handed back to the bot",
  resolved: "Resolved",
  withdrawn: "The customer ended the chat and waits no more",
  left: "The customer ended the chat",
};

/** What was done at this place of the conversation, with the note that came with it. */
function actsAfter(view: ConversationView, messageId: string | null): unknown {
  const acts = (view.timeline ?? []).filter((act) => act.after === messageId);
  return acts.map(
    (act) => html`<div class="act">
      ${DONE[act.kind] ?? spoken(act.kind)}${act.outcome ? html` as ${spoken(act.outcome).toLowerCase()}` : nothing}${act.person
        ? html` by ${text(act.person)}`
        : nothing},
      <time>${when(act.at)}</time>
      ${act.note ? html`<p class="note"><span class="muted">Note:</span> ${text(act.note)}</p>` : nothing}
    </div>`,
  );
}

function messageView(raw: StaffMessage, hosts: readonly string[]): TemplateResult {
  const message = { ...raw, ...completeMessage(raw) };
  const who = message.author === "customer" ? "Customer" : message.author === "bot" ? "Bot" : "Person";
  const decision = raw.decision;
  const evidence = raw.evidence;
  return html`<article class="message ${message.author}">
    <p class="muted">
      ${who}${message.author_name ? html`, ${text(message.author_name)}` : nothing} <time>${when(message.at)}</time>
      ${message.outcome ? html`<span class="mark">${spoken(message.outcome)}</span>` : nothing}
    </p>
    ${guard([message.text, hosts.join()], () =>
      renderMessage(message.text, {
        linkHosts: hosts,
        format: message.author === "customer" ? "plain" : "markdown",
        anyQuery: message.author === "person",
        citations: message.citations,
      }),
    )}
    ${message.citations.length
      ? html`<ol class="sources">
          ${message.citations.map(
            (source) => html`<li value=${source.n}>
              ${guard([sourceTitle(source), source.url, hosts.join()], () =>
                renderSource(sourceTitle(source), source.url, hosts),
              )}
            </li>`,
          )}
        </ol>`
      : nothing}
    ${message.ticket
      ? html`<p><a href="bugs#/b/${message.ticket.bug_id}">Bug ${message.ticket.bug_id}</a> ${text(message.ticket.title)}</p>`
      : nothing}
    ${decision ? guard([JSON.stringify(decision)], () => decisionView(decision)) : nothing}
    ${evidence ? guard([JSON.stringify(evidence), hosts.join()], () => evidenceView(evidence, hosts)) : nothing}
  </article>`;
}

function skipToActions(event: Event): void {
  event.preventDefault();
  const actions = (event.currentTarget as HTMLElement).closest(".detail")?.querySelector(".actions");
  (actions?.querySelector<HTMLElement>("#reply") ?? actions?.querySelector<HTMLElement>("input, button, summary"))?.focus();
}

/** Ctrl or Cmd with Enter sends what is being written; where that takes something from somebody, the button is asked for. */
function sendByKey(event: KeyboardEvent, held: boolean): void {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  const { form } = event.currentTarget as HTMLTextAreaElement;
  if (held) form?.querySelector("button")?.focus();
  else form?.requestSubmit();
}

function submitting(read: (form: HTMLFormElement) => Promise<boolean>): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    void read(form).then((done) => {
      if (done) form.reset();
    });
  };
}

function field(form: HTMLFormElement, name: string): string {
  const control = form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
  return control.value.trim();
}

function actionsView(model: DetailModel): TemplateResult {
  const { mode, person } = model.view.conversation;
  const taken = mode === "with_person";
  const holder = taken && person && person !== model.person ? person : null;
  const named = model.person !== "";
  return html`${model.you.name
      ? html`<p class="muted">You answer as ${text(model.you.name)}.</p>`
      : html`<div class="field">
          <label for="person">Your name, as the customer sees it</label>
          <input
            id="person"
            autocomplete="name"
            maxlength="80"
            .value=${model.person}
            @input=${(event: Event) => model.onPerson((event.currentTarget as HTMLInputElement).value.trim())}
          />
        </div>`}
    ${holder
      ? html`<p class="held" role="status">
          <strong>${text(holder)} has this conversation</strong>, and the customer was told so.
        </p>`
      : nothing}
    ${taken ? replyForm(model, named, holder) : nothing}
    ${taken && !holder
      ? nothing
      : html`<button
          class=${holder ? "take" : "primary take"}
          type="button"
          ?disabled=${!named}
          aria-disabled=${model.busy ? "true" : nothing}
          @click=${model.onTake}
        >
          ${holder ? html`Take over from ${text(holder)}` : "Take"}
        </button>`}
    <div class="ways">
      ${mode === "waiting" || taken ? handBackForm(model) : nothing} ${mode === "closed" ? nothing : resolveForm(model)}
    </div>`;
}

function replyForm(model: DetailModel, named: boolean, holder: string | null): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    void model.onReply(field(event.currentTarget as HTMLFormElement, "text"), holder !== null);
  };
  return html`<form class="reply" @submit=${submit}>
    <label for="reply">Reply to the customer</label>
    <textarea
      id="reply"
      name="text"
      rows="2"
      maxlength="8000"
      dir="auto"
      required
      aria-keyshortcuts="Control+Enter Meta+Enter"
      .value=${live(model.draft)}
      @keydown=${(event: KeyboardEvent) => sendByKey(event, holder !== null)}
      @input=${(event: Event) => model.onDraft((event.currentTarget as HTMLTextAreaElement).value)}
    ></textarea>
    <button class="primary" type="submit" ?disabled=${!named} aria-disabled=${model.busy ? "true" : nothing}>
      ${holder ? "Take over and send" : "Send reply"}
    </button>
  </form>`;
}

function handBackForm(model: DetailModel): TemplateResult {
  return html`<details>
    <summary>Hand back to the bot</summary>
    <form class="hand-back" @submit=${submitting((form) => model.onHandBack(field(form, "note")))}>
      <label for="back-note">Note for colleagues (optional)</label>
      <input id="back-note" name="note" maxlength="1000" dir="auto" />
      <button type="submit" aria-disabled=${model.busy ? "true" : nothing}>Hand back</button>
    </form>
  </details>`;
}

function resolveForm(model: DetailModel): TemplateResult {
  const submit = submitting((form) => model.onResolve(field(form, "outcome") as Outcome, field(form, "note")));
  return html`<details>
    <summary>Resolve</summary>
    <form class="resolve" @submit=${submit}>
      <label for="outcome">Outcome</label>
      <select id="outcome" name="outcome">
        ${OUTCOMES.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select>
      <label for="resolve-note">Note for colleagues (optional)</label>
      <input id="resolve-note" name="note" maxlength="1000" dir="auto" />
      <button type="submit" aria-disabled=${model.busy ? "true" : nothing}>Resolve</button>
    </form>
  </details>`;
}
