/** The list of conversations that people have, or should have, in hand. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { renderMessage } from "../render/index";
import type { HandoffRow } from "./api";
import { ago, mood, queueName, spoken, text, when } from "./shared";

export type Filter = "waiting" | "with_person" | "mine" | "all";

const FILTERS: [Filter, string][] = [
  ["waiting", "Waiting"],
  ["mine", "With me"],
  ["with_person", "With a person"],
  ["all", "All"],
];

const WEIGHT = { urgent: 0, high: 1, normal: 2 };

export interface ListModel {
  rows: HandoffRow[];
  queueNames: Record<string, string> | undefined;
  filter: Filter;
  selected: string | null;
  onFilter: (filter: Filter) => void;
  /** Whoever chooses what is open already wants to go there. */
  onAgain: () => void;
}

/** Those who wait first: overdue ones, then by priority, then whoever has waited longest. The others by what is newest. */
export function sorted(rows: readonly HandoffRow[]): HandoffRow[] {
  const waits = (row: HandoffRow): boolean => row.mode === "waiting";
  return [...rows].sort((a, b) => {
    if (waits(a) !== waits(b)) return waits(a) ? -1 : 1;
    if (!waits(a)) return lastActive(b).localeCompare(lastActive(a));
    return (
      Number(b.overdue) - Number(a.overdue) ||
      WEIGHT[a.priority] - WEIGHT[b.priority] ||
      (a.waiting_since ?? "").localeCompare(b.waiting_since ?? "")
    );
  });
}

function lastActive(row: HandoffRow): string {
  return row.updated_at ?? row.waiting_since ?? "";
}

export function listView(model: ListModel): TemplateResult {
  return html`<section class="list" aria-label="Conversations">
    <h2 class="sr" tabindex="-1">Conversations</h2>
    <div class="filters" role="group" aria-label="Show">
      ${FILTERS.map(
        ([filter, label]) =>
          html`<button
            type="button"
            aria-pressed=${model.filter === filter ? "true" : "false"}
            @click=${() => model.onFilter(filter)}
          >
            ${label}
          </button>`,
      )}
    </div>
    ${model.rows.length
      ? html`<ul>
          ${repeat(
            sorted(model.rows),
            (row) => row.conversation_id,
            (row) => rowView(row, model),
          )}
        </ul>`
      : html`<p class="muted">Nothing here.</p>`}
  </section>`;
}

/** A message without its markup. */
function wordsOf(message: string): string {
  return renderMessage(message, { linkHosts: [], format: "markdown" }).textContent ?? "";
}

function rowView(row: HandoffRow, model: ListModel): TemplateResult {
  const current = row.conversation_id === model.selected;
  const since = ago(row.mode === "waiting" ? row.waiting_since : lastActive(row));
  return html`<li>
    <a href="#/c/${row.conversation_id}" class="row" aria-current=${current ? "true" : nothing} @click=${() => current && model.onAgain()}>
      <span class="marks">
        ${row.overdue ? html`<strong class="mark overdue">Overdue</strong>` : nothing}
        ${row.priority === "normal" ? nothing : html`<strong class="mark">${spoken(row.priority)}</strong>`}
        ${row.unread ? html`<span class="mark">${row.unread} new</span>` : nothing}
        <span class="muted">${spoken(row.mode)}${row.mode === "with_person" && row.person ? html` (${text(row.person)})` : nothing}${since && `, ${since}`}</span
        >
      </span>
      <span class="wanted">${text(row.wanted || wordsOf(row.last_message ?? "") || "Nothing said yet")}</span>
      <span class="muted">
        ${row.queue_id ? `${queueName(row.queue_id, model.queueNames)}, ${mood(row.sentiment)}` : ""}${row.mode === "waiting" && row.promised_by ? `, promised by ${when(row.promised_by)}` : ""}
        ${row.account_summary ? html`<br />${text(row.account_summary)}` : nothing}
        ${row.page ? html`<br />${text(row.page)}` : nothing}
      </span>
    </a>
  </li>`;
}
