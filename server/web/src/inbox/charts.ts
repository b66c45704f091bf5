/** Charts as plain SVG: no library, no inline styles (the page's policy forbids them), a table behind each. */

import { html, nothing, svg, type TemplateResult } from "lit";

const NARROW = "(max-width: 760px)";
const HEIGHT = 190;
const LEFT = 58;
const BOTTOM = 22;
const TOP = 8;

export interface Series {
  name: string;
  /** Which of the style sheet's colours, and which dash of a line. */
  tone: string;
  values: readonly (number | null)[];
}

export interface Chart {
  title: string;
  unit: string;
  starts: readonly string[];
  series: readonly Series[];
  kind: "bars" | "lines";
  /** How a value is said, in the axis, the tooltip and the table. */
  say: (value: number) => string;
}

/** The next "round" number from `value` on. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 5, 7.5, 10].find((factor) => factor * power >= value - 1e-12) ?? 10;
  return step * power;
}

/** Call `redraw` when charts have to be drawn for another width. */
export function onOtherWidth(redraw: () => void): void {
  matchMedia(NARROW).addEventListener("change", redraw);
}

export function chartView(chart: Chart): TemplateResult {
  const { starts, series } = chart;
  const totals = starts.map((_, place) => {
    const here = series.map((one) => one.values[place] ?? 0);
    return chart.kind === "bars" ? here.reduce((sum, value) => sum + value, 0) : Math.max(0, ...here);
  });
  const most = Math.max(0, ...totals);
  const top = chart.kind === "bars" ? Math.max(2, roundUp(most)) : roundUp(most);
  const any = series.some((one) => one.values.some((value) => value !== null && value !== 0));
  return html`<figure class="chart">
    <figcaption>
      <h2>${chart.title}</h2>
      <ul class="legend" aria-hidden="true" ?hidden=${!any}>
        ${series.map((one) => html`<li><svg class="swatch" viewBox="0 0 12 12"><rect class="fill ${one.tone}" width="12" height="12" rx="2" /></svg>${one.name}</li>`)}
      </ul>
    </figcaption>
    ${any ? drawn(chart, top) : html`<p class="muted nothing">Nothing in this time.</p>`}
    ${any ? tableView(chart) : nothing}
  </figure>`;
}

function drawn(chart: Chart, top: number): TemplateResult {
  const height = HEIGHT - TOP - BOTTOM;
  // Drawn at about the width that it is shown in, so that letters keep their size.
  const narrow = matchMedia(NARROW).matches;
  const width = narrow ? 340 : 640;
  const step = (width - LEFT) / Math.max(1, chart.starts.length);
  const y = (value: number): number => TOP + height * (1 - value / top);
  const lines = [0, 0.5, 1].map((part) => part * top);
  const marks = timeMarks(chart.starts, narrow ? 3 : 6);
  return html`<svg class="plot" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${chart.title}; the table below has the numbers">
    ${lines.map(
      (value) => svg`<line class="grid" x1=${LEFT} x2=${width} y1=${y(value)} y2=${y(value)} />
        <text class="axis" x=${LEFT - 6} y=${y(value) + 4} text-anchor="end">${chart.say(value)}</text>`,
    )}
    ${marks.map(({ place, label }) => svg`<text class="axis" x=${LEFT + place * step} y=${HEIGHT - 5} text-anchor=${place > chart.starts.length * 0.93 ? "end" : "middle"}>${label}</text>`)}
    ${chart.kind === "bars" ? bars(chart, step, y) : curves(chart, step, y)}
    ${chart.starts.map(
      (start, place) =>
        svg`<rect class="hit" x=${LEFT + place * step} y=${TOP} width=${step} height=${height}><title>${said(chart, start, place)}</title></rect>`,
    )}
  </svg>`;
}

function bars(chart: Chart, step: number, y: (value: number) => number): unknown {
  return chart.starts.map((_, place) => {
    let below = 0;
    return chart.series.map((one) => {
      const value = one.values[place] ?? 0;
      if (!value) return nothing;
      const from = below;
      below += value;
      return svg`<rect class="fill ${one.tone}" x=${LEFT + place * step + step * 0.1} width=${step * 0.8} y=${y(below)} height=${Math.max(0.5, y(from) - y(below))} />`;
    });
  });
}

/** A line through what is known; where nothing is known it breaks, and a lone point is a dot. */
function curves(chart: Chart, step: number, y: (value: number) => number): unknown {
  return chart.series.map((one) => {
    let path = "";
    const dots: unknown[] = [];
    one.values.forEach((value, place) => {
      if (value === null) return;
      const x = LEFT + (place + 0.5) * step;
      const before = place > 0 ? (one.values[place - 1] ?? null) : null;
      const after = one.values[place + 1] ?? null;
      path += `${before === null ? "M" : "L"}${x.toFixed(1)} ${y(value).toFixed(1)}`;
      if (before === null && after === null) dots.push(svg`<circle class="fill ${one.tone}" cx=${x} cy=${y(value)} r="3" />`);
    });
    return svg`<path class="line ${one.tone}" d=${path} />${dots}`;
  });
}

function said(chart: Chart, start: string, place: number): string {
  const values = chart.series
    .map((one) => [one.name, one.values[place] ?? null] as const)
    .filter(([, value]) => value !== null && (chart.kind === "lines" || value !== 0))
    .map(([name, value]) => `${name} ${chart.say(value as number)}`);
  return [moment(start), ...(values.length ? values : ["nothing"])].join("\n");
}

export function moment(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** Some places on the axis, each with a short time or day. */
function timeMarks(starts: readonly string[], wanted: number): { place: number; label: string }[] {
  const first = starts[0];
  const last = starts[starts.length - 1];
  if (!first || !last) return [];
  const long = Date.parse(last) - Date.parse(first) > 2 * 86_400_000;
  const every = Math.max(1, Math.round(starts.length / wanted));
  return starts.flatMap((start, place) => {
    if (place % every || place === 0) return [];
    const date = new Date(start);
    const label = long
      ? date.toLocaleDateString(undefined, { month: "short", day: "numeric" })
      : date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
    return [{ place, label }];
  });
}

function tableView(chart: Chart): TemplateResult {
  const rows = chart.starts
    .map((start, place) => ({ start, values: chart.series.map((one) => one.values[place] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0))
    .reverse();
  return html`<details>
    <summary>As a table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="${chart.title}, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            ${chart.series.map((one) => html`<th scope="col" class="n">${one.name}${chart.unit ? html`, ${chart.unit}` : nothing}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ start, values }) =>
              html`<tr>
                <th scope="row">${moment(start)}</th>
                ${values.map((value) => html`<td class="n">${value === null ? "–" : chart.say(value)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}
