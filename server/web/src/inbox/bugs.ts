/** The list of bugs: how often each was reported, the draft for engineers, and who said what. */

import { html, nothing, render, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";

import { renderMessage } from "../render/index";
import { api, type BugRow, type BugStatus, type BugView, type You } from "./api";
import { Login } from "./login";
import { headerView, named, spoken, text, troubleText, when } from "./shared";

const REFRESH_MS = 15_000;

export class BugsPage {
  #bugs: BugRow[] | null = null;
  #bug: BugView | null = null;
  #selected: string | null = null;
  #setting = false;
  #trouble = "";
  #you: You | undefined;
  readonly #login: Login = new Login({
    load: () => this.#load(),
    draw: () => this.#draw(),
    forget: () => {
      this.#bugs = this.#bug = null;
    },
  });

  constructor(private readonly root: HTMLElement) {
    window.addEventListener("hashchange", () => this.#route());
    setInterval(() => {
      if (this.#login.signedIn && document.visibilityState === "visible") void this.#load();
    }, REFRESH_MS);
    this.#route();
  }

  #route(): void {
    this.#selected = named("b");
    this.#bug = null;
    void this.#load();
  }

  async #load(): Promise<void> {
    const selected = this.#selected;
    const { round } = this.#login;
    try {
      const [{ bugs, you }, bug] = await Promise.all([api.bugs(), selected ? api.bug(selected) : null]);
      if (selected !== this.#selected || round !== this.#login.round) return;
      this.#bugs = bugs;
      this.#you = you;
      this.#bug = bug;
      this.#login.signedIn = true;
      this.#trouble = "";
    } catch (error) {
      if (!this.#login.isMissing(error)) this.#trouble = troubleText(error);
    }
    this.#draw();
  }

  async #set(status: BugStatus): Promise<void> {
    const bug = this.#bug;
    if (!bug || this.#setting || bug.status === status) return;
    this.#setting = true;
    try {
      await api.setBugStatus(bug.bug_id, status);
      await this.#load();
    } catch (error) {
      if (!this.#login.isMissing(error)) this.#trouble = troubleText(error);
      this.#draw();
    } finally {
      this.#setting = false;
    }
  }

  #draw(): void {
    const page = html`${headerView({
        current: "bugs",
        live: this.#bugs !== null && !this.#trouble,
        who: this.#login.whoView(this.#you),
      })}
      <main class="bugs">
        <h1 tabindex="-1">Bugs</h1>
        <p class="bad" role="alert">${this.#trouble}</p>
        ${this.#bugs ? tableView(this.#bugs, this.#selected) : html`<p role="status">Loading…</p>`}
        ${this.#bug ? bugView(this.#bug, this.#you?.role === "admin" ? (status) => void this.#set(status) : null) : nothing}
      </main>`;
    render(this.#login.signedIn ? page : this.#login.view(), this.root);
  }
}

function tableView(bugs: readonly BugRow[], selected: string | null): TemplateResult {
  if (!bugs.length) return html`<p class="muted">No bugs were reported.</p>`;
  const rows = [...bugs].sort((a, b) => b.occurrences - a.occurrences || b.last_seen.localeCompare(a.last_seen));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Bugs by number of reports">
    <table>
      <thead>
        <tr>
          ${["Bug", "Reports", "Customers", "Severity", "Status", "Feature", "Page", "First seen", "Last seen"].map(
            (label) => html`<th scope="col">${label}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (bug) =>
            html`<tr class=${bug.bug_id === selected ? "chosen" : ""}>
              <td>
                <a href="#/b/${bug.bug_id}" aria-current=${bug.bug_id === selected ? "true" : nothing}
                  ><b>${bug.bug_id}</b> ${text(bug.title)}</a
                >
              </td>
              <td>${bug.occurrences}</td>
              <td>${bug.customers}</td>
              <td>${spoken(bug.severity)}</td>
              <td>${spoken(bug.status)}</td>
              <td>${text(bug.feature)}</td>
              <td>${text(bug.page)}</td>
              <td>${when(bug.first_seen)}</td>
              <td>${when(bug.last_seen)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function draftValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    return html`<ol>
      ${value.map((item) => html`<li>${text(String(item))}</li>`)}
    </ol>`;
  }
  return plain(String(value));
}

/** Drawn once, so that a refresh doesn't undo what somebody is selecting to copy. */
function plain(words: string): unknown {
  return guard([words], () => renderMessage(words, { linkHosts: [], format: "plain" }));
}

const STATUSES: [BugStatus, string][] = [
  ["open", "Open"],
  ["fixed", "Fixed"],
  ["dismissed", "Dismissed"],
];

/** `set` is there for who may say where a bug stands. */
function statusView(bug: BugView, set: ((status: BugStatus) => void) | null): TemplateResult {
  if (!set) return html`<p class="muted">${bug.bug_id}, ${spoken(bug.status).toLowerCase()}</p>`;
  return html`<div class="filters" role="group" aria-label="Status of ${bug.bug_id}">
      ${STATUSES.map(
        ([status, label]) =>
          html`<button type="button" aria-pressed=${bug.status === status ? "true" : "false"} @click=${() => set(status)}>
            ${label}
          </button>`,
      )}
    </div>
    <p class="muted">Only open bugs are counted up: the next report of another opens a new one.</p>`;
}

function bugView(bug: BugView, set: ((status: BugStatus) => void) | null): TemplateResult {
  const draft = Object.entries(bug.draft ?? {}).filter(([, value]) => value !== null && value !== "" && String(value));
  return html`<section class="bug" aria-label="Bug">
    <h2>${text(bug.title)} <span class="muted">${bug.bug_id}</span></h2>
    ${statusView(bug, set)}
    <dl>
      ${draft.map(
        ([name, value]) =>
          html`<dt>${spoken(name)}</dt>
            <dd>${draftValue(value)}</dd>`,
      )}
    </dl>
    <h3>Reports (${bug.reports.length})</h3>
    ${bug.reports.map(
      (report) =>
        html`<article class="message">
          <p class="muted">
            ${text(report.account_id) === nothing ? "Unverified" : text(report.account_id)}
            ${report.tier ? html`, ${text(report.tier)}` : nothing} <time>${when(report.at)}</time>
            <a href="inbox#/c/${report.conversation_id}">Conversation</a>
          </p>
          ${plain(report.said)}
        </article>`,
    )}
  </section>`;
}
