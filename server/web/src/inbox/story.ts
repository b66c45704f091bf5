/** The summary that saves the customer from telling everything again, and what the bot saw. */

import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";

import { renderMessage, renderSource } from "../render/index";
import { sourceTitle } from "../wire/types";
import type { ConversationView, Decision, Evidence, Handoff } from "./api";
import { mood, number, queueName, spoken, text, when } from "./shared";

function row(label: string, value: unknown): TemplateResult | typeof nothing {
  if (value === nothing || value === null || value === "" || value === undefined) return nothing;
  return html`<dt>${label}</dt>
    <dd>${value}</dd>`;
}

function bullets(items: readonly unknown[]): unknown {
  return items.length
    ? html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`
    : nothing;
}

export function storyView(view: ConversationView, hosts: readonly string[]): TemplateResult {
  const { conversation, handoff } = view;
  const email = row("E-mail", text(conversation.contact_email));
  if (!handoff) {
    return html`<section class="story" aria-label="Summary">
      <dl>
        ${row("Account", text(conversation.account_id))} ${email} ${row("Bugs", bugsView(view))}
        ${row("Language", conversation.language)}
      </dl>
    </section>`;
  }
  return html`<section class="story" aria-label="Summary">
    <dl>
      ${row("Wanted", text(handoff.wanted))} ${row("Tried", bullets(handoff.tried.map(text)))}
      ${row("Why a person", html`${spoken(handoff.reason)}`)}
      ${row("Mood", `${mood(handoff.sentiment)} (${number(handoff.sentiment)})`)}
      ${row("Account", accountView(handoff, conversation.account_id))} ${email}
      ${row("Queue", `${queueName(handoff.queue_id, view.queue_names)}, ${handoff.priority}`)} ${row("Page", text(handoff.page))}
      ${row("Bugs", bugsView(view))}
      ${row("Suggested next step", text(handoff.suggested_next_step))}
      ${row("Links", bullets(handoff.links.map((link) => sourceView(link, link, hosts))))}
      ${row("Promised by", when(handoff.promised_by))} ${row("Language", conversation.language)}
    </dl>
    ${handoff.reasons.length
      ? html`<details>
          <summary>Reasons for the handoff</summary>
          ${reasonsView(handoff.reasons)}
        </details>`
      : nothing}
  </section>`;
}

/** All that were reported here: one may have been filed just before a person took over, and no message tells of it. */
function bugsView(view: ConversationView): unknown {
  const found = view.bugs ?? [];
  return bullets(
    found.map(
      (bug) =>
        html`<a href="bugs#/b/${bug.bug_id}">${bug.bug_id}</a>: ${text(bug.title)}
          <span class="muted">${spoken(bug.status)}</span>`,
    ),
  );
}

function sourceView(title: string, url: string | null, hosts: readonly string[]): unknown {
  return guard([title, url, hosts.join()], () => renderSource(title, url, hosts));
}

function accountView(handoff: Handoff, accountId: string | null): unknown {
  const known = handoff.account_id ?? accountId;
  if (!known && !handoff.account_summary) return "Not verified";
  return html`${text(handoff.account_summary)} ${known ? html`<span class="muted">${text(known)}</span>` : nothing}`;
}

function reasonsView(reasons: Decision["reasons"]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Reasons">
    <table>
      <thead>
        <tr>
          <th scope="col">Signal</th>
          <th scope="col">Seen</th>
          <th scope="col">Weight</th>
          <th scope="col">Towards</th>
        </tr>
      </thead>
      <tbody>
        ${reasons.map(
          (reason) =>
            html`<tr>
              <td>${spoken(reason.name)}</td>
              <td><bdi>${number(reason.value)}</bdi></td>
              <td>${number(reason.weight)}</td>
              <td>${spoken(reason.towards)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Why the bot did what it did with this message. */
export function decisionView(decision: Decision): TemplateResult {
  const costs = Object.entries(decision.expected_cost);
  const { kind, category, sentiment } = decision.understanding ?? {};
  const understood = [kind, category].filter((part) => typeof part === "string").map((part) => spoken(part as string));
  if (typeof sentiment === "number") understood.push(mood(sentiment));
  return html`<details class="why">
    <summary>Decided: ${spoken(decision.route)}</summary>
    ${understood.length ? html`<p>Understood as: ${understood.join(", ")}</p>` : nothing}
    ${decision.page?.route ? html`<p>On page: ${text(decision.page.route)}</p>` : nothing}
    ${decision.reasons.length ? reasonsView(decision.reasons) : nothing}
    ${costs.length
      ? html`<p>Expected cost: ${costs.map(([route, cost]) => `${spoken(route)} ${number(cost)}`).join(", ")}</p>`
      : nothing}
  </details>`;
}

/** The passages that the bot had before it. */
export function evidenceView(evidence: Evidence, hosts: readonly string[]): TemplateResult {
  return html`<details class="why">
    <summary>Evidence: ${evidence.passages.length} passages, sure to ${number(evidence.probability)}</summary>
    ${evidence.passages.map(
      (passage) => html`<div class="passage">
        <p>${renderSource(sourceTitle(passage), passage.url, hosts)} <span class="muted">score ${number(passage.score)}</span></p>
        ${renderMessage(passage.text, { linkHosts: hosts, format: "markdown" })}
      </div>`,
    )}
  </details>`;
}
