/** The operations page: the last hours as the log has them. */

import { html, nothing, render, type TemplateResult } from "lit";

import { api, type OpsView } from "./api";
import { chartView, moment, onOtherWidth, type Series } from "./charts";
import { Login } from "./login";
import { ago, headerView, queueName, spoken, text, troubleText } from "./shared";

type Last = "1h" | "6h" | "24h" | "7d";

const CHOICES: [Last, string][] = [
  ["1h", "1 hour"],
  ["6h", "6 hours"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
];
const REFRESH_MS = 15_000;

/** What turns came to, in the order of the bars from below, with the outcomes that each stands for. */
const GROUPS: [string, string, string[]][] = [
  ["Answered", "t1", ["answered"]],
  ["Asked back", "t2", ["asked"]],
  ["Bugs", "t3", ["bug_filed", "bug_counted"]],
  ["Handed over", "t4", ["handed_off"]],
  ["Passed on", "t5", ["delivered", "contact_taken"]],
  ["Failed", "t6", ["failed", "parked"]],
];

export function seconds(value: number): string {
  if (value === 0) return "0";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return value < 100 ? `${Number(value.toPrecision(2))} s` : `${Math.round(value)} s`;
}

function count(value: number): string {
  return value.toLocaleString();
}

export class OpsPage {
  #view: OpsView | null = null;
  #last: Last = "24h";
  #trouble = "";
  readonly #login: Login = new Login({
    load: () => this.#load(),
    draw: () => this.#draw(),
    forget: () => {
      this.#view = null;
    },
  });

  constructor(private readonly root: HTMLElement) {
    window.addEventListener("hashchange", () => this.#route());
    setInterval(() => {
      if (this.#login.signedIn && document.visibilityState === "visible") void this.#load();
    }, REFRESH_MS);
    onOtherWidth(() => this.#draw());
    this.#route();
  }

  #route(): void {
    const chosen = location.hash.slice(2);
    this.#last = CHOICES.find(([last]) => last === chosen)?.[0] ?? "24h";
    void this.#load();
  }

  async #load(): Promise<void> {
    const last = this.#last;
    const { round } = this.#login;
    try {
      const view = await api.ops(last);
      if (last !== this.#last || round !== this.#login.round) return;
      this.#view = view;
      this.#login.signedIn = true;
      this.#trouble = "";
    } catch (error) {
      if (!this.#login.isMissing(error)) this.#trouble = troubleText(error);
    }
    this.#draw();
  }

  #draw(): void {
    const page = html`${headerView({
        current: "ops",
        live: this.#view !== null && !this.#trouble,
        who: this.#login.whoView(this.#view?.you),
      })}
      <main class="ops">
        <div class="ops-head">
          <h1 tabindex="-1">Operations</h1>
          <nav class="filters" aria-label="Time">
            ${CHOICES.map(
              ([last, label]) =>
                html`<a class="choice" href="#/${last}" aria-current=${this.#last === last ? "true" : nothing}>${label}</a>`,
            )}
          </nav>
        </div>
        <p class="bad" role="alert">${this.#trouble}</p>
        ${this.#view ? viewOf(this.#view) : html`<p role="status">Loading…</p>`}
      </main>`;
    render(this.#login.signedIn ? page : this.#login.view(), this.root);
  }
}

function viewOf(view: OpsView): TemplateResult {
  return html`${nowView(view)} ${view.turns ? nothing : html`<p class="muted empty">No turn ended in this time.</p>`}
    ${totalsView(view)}
    <div class="charts">${turnsChart(view)} ${timeChart(view, "Time to the first word", view.first_word_seconds)}
      ${timeChart(view, "Time of a turn", view.turn_seconds)} ${queuesView(view)} ${engineView(view)} ${troubledView(view)}</div>
    <p class="muted">Read from the log at ${moment(view.until)}. A turn counts where its message was accepted.</p>`;
}

function tile(label: string, value: string, note: string, bad = false): TemplateResult {
  return html`<div class="tile">
    <dt>${label}</dt>
    <dd class=${bad ? "value bad" : "value"}>${value}</dd>
    <dd class="muted">${note}</dd>
  </div>`;
}

function nowView(view: OpsView): TemplateResult {
  const { now } = view;
  const oldest = now.oldest_waiting_s ? `oldest ${seconds(now.oldest_waiting_s)}` : "none is late";
  return html`<section aria-label="Now">
    <h2>Now</h2>
    <dl class="tiles">
      ${tile("Turns waiting", count(now.turns_waiting), oldest, now.oldest_waiting_s > 15)}
      ${tile("Turns running", count(now.turns_running), "right now")}
      ${tile("Turns left", count(now.turns_abandoned), "by a process that died", now.turns_abandoned > 0)}
      ${tile("Waiting for a person", count(now.handoffs_open), "nobody has taken them")}
      ${tile("Overdue", count(now.handoffs_overdue), "longer than promised", now.handoffs_overdue > 0)}
    </dl>
  </section>`;
}

function totalOf(view: OpsView, outcomes: readonly string[]): number {
  return outcomes.reduce((sum, outcome) => sum + (view.outcomes[outcome] ?? []).reduce((a, b) => a + b, 0), 0);
}

function share(n: number, of: number): string {
  return of ? `${Math.round((100 * n) / of)} % of turns` : "";
}

function totalsView(view: OpsView): TemplateResult {
  const { n, with_person: asked } = view.conversations;
  const alone = n - asked;
  return html`<section aria-label="In this time">
    <h2>In this time</h2>
    <dl class="tiles">
      ${tile("Turns", count(view.turns), n === 1 ? "in 1 conversation" : `in ${count(n)} conversations`)}
      ${tile("Without a person", count(alone), n ? `${Math.round((100 * alone) / n)} % of conversations` : "conversations")}
      ${GROUPS.map(([label, , outcomes]) => {
        const sum = totalOf(view, outcomes);
        return tile(label, count(sum), share(sum, view.turns), label === "Failed" && sum > 0);
      })}
    </dl>
  </section>`;
}

function turnsChart(view: OpsView): TemplateResult {
  const series = GROUPS.map(([name, tone, outcomes]): Series => {
    const found = outcomes.map((outcome) => view.outcomes[outcome]);
    return { name, tone, values: view.starts.map((_, place) => found.reduce((sum, one) => sum + (one?.[place] ?? 0), 0)) };
  }).filter(({ values }) => values.some(Boolean));
  return chartView({ title: "Turns", unit: "", starts: view.starts, series, kind: "bars", say: (value) => count(Math.round(value * 10) / 10) });
}

function timeChart(view: OpsView, title: string, times: OpsView["turn_seconds"]): TemplateResult {
  const all = times.all ? `${title}: median ${seconds(times.all.p50)}, p95 ${seconds(times.all.p95)}` : title;
  const series: Series[] = [
    { name: "Median", tone: "t1", values: times.p50 },
    { name: "95th percentile", tone: "t4 dashed", values: times.p95 },
  ];
  return chartView({ title: all, unit: "", starts: view.starts, series, kind: "lines", say: seconds });
}

function queuesView(view: OpsView): TemplateResult {
  return html`<section class="panel" aria-label="Queues">
    <h2>Waiting for a person</h2>
    ${view.queues.length
      ? html`<table>
          <thead>
            <tr><th scope="col">Queue</th><th scope="col" class="n">Open</th><th scope="col" class="n">Overdue</th><th scope="col">Oldest</th></tr>
          </thead>
          <tbody>
            ${view.queues.map(
              (queue) =>
                html`<tr>
                  <th scope="row">${text(queueName(queue.queue_id, view.queue_names))}</th>
                  <td class="n">${count(queue.open)}</td>
                  <td class="n ${queue.overdue ? "bad" : ""}">${count(queue.overdue)}</td>
                  <td>${ago(queue.oldest)}</td>
                </tr>`,
            )}
          </tbody>
        </table>`
      : html`<p class="muted">Nobody waits.</p>`}
  </section>`;
}

function engineView(view: OpsView): TemplateResult {
  const { engine } = view;
  const rows: [string, string][] = [
    ["Calls of models", count(engine.calls)],
    ["Tokens in", count(engine.input_tokens)],
    ["Tokens out", count(engine.output_tokens)],
    ["Cost", engine.cost.toLocaleString(undefined, { maximumFractionDigits: 4 })],
  ];
  return html`<section class="panel" aria-label="Engine">
    <h2>Engine</h2>
    <dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    <h3>Fallbacks</h3>
    ${engine.fallbacks.length
      ? html`<ul class="plain">
          ${engine.fallbacks.map(({ ability, reason, n }) => html`<li>${spoken(ability)}: ${spoken(reason).toLowerCase()} <b>${count(n)}</b></li>`)}
        </ul>`
      : html`<p class="muted">None.</p>`}
  </section>`;
}

function troubledView(view: OpsView): TemplateResult {
  return html`<section class="panel" aria-label="Failed and parked turns">
    <h2>Failed and parked turns</h2>
    ${view.troubled.length
      ? html`<ul class="plain">
          ${view.troubled.map(
            (turn) =>
              html`<li>
                <a href="inbox#/c/${turn.conversation_id}">${spoken(turn.status)}, ${moment(turn.at)}</a>
                <span class="muted">turn ${turn.turn_id}</span>
              </li>`,
          )}
        </ul>`
      : html`<p class="muted">None.</p>`}
  </section>`;
}
