import { css } from "lit";

/** Colours meet 4.5:1 in both schemes; `--hg-accent` and `--hg-on-accent` are set from the page's accent. */
export const styles = css`
  :host {
    --accent: var(--hg-accent, #1d4ed8);
    --on-accent: var(--hg-on-accent, #ffffff);
    --bg: #ffffff;
    --soft: #f1f3f6;
    --text: #1a1d21;
    --muted: #4f5763;
    --line: #c9ced6;
    --link: #1a4fba;
    --bad: #a4161a;
    --focus: #1d4ed8;
    position: fixed;
    inset-block-end: 20px;
    inset-inline-end: 20px;
    z-index: 2147483000;
    color: var(--text);
    color-scheme: light dark;
    font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    text-align: start;
  }
  :host([position="left"]) {
    inset-inline-end: auto;
    inset-inline-start: 20px;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --bg: #171a1f;
      --soft: #262b33;
      --text: #eef0f3;
      --muted: #b3bac5;
      --line: #49515e;
      --link: #9cc0ff;
      --bad: #ffb3ae;
      --focus: #9cc0ff;
    }
  }
  * {
    box-sizing: border-box;
  }
  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  [hidden] {
    display: none !important;
  }
  .sr {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .launcher {
    position: relative;
    inline-size: 56px;
    block-size: 56px;
    border: 0;
    border-radius: 50%;
    background: var(--accent);
    color: var(--on-accent);
    font-size: 24px;
    font-weight: 700;
    box-shadow: 0 3px 14px rgb(0 0 0 / 0.3);
  }
  .badge {
    position: absolute;
    inset-block-start: -4px;
    inset-inline-end: -4px;
    min-inline-size: 22px;
    padding: 0 5px;
    border-radius: 11px;
    background: #a4161a;
    color: #fff;
    font-size: 13px;
    line-height: 22px;
  }
  .panel {
    display: flex;
    flex-direction: column;
    inline-size: min(390px, calc(100vw - 40px));
    block-size: min(620px, calc(100dvh - 40px));
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--bg);
    box-shadow: 0 8px 40px rgb(0 0 0 / 0.3);
    overflow: hidden;
  }
  .head {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 10px 14px;
    background: var(--accent);
    color: var(--on-accent);
  }
  .head h2 {
    flex: 1;
    margin: 0;
    font-size: 16px;
    overflow-wrap: anywhere;
  }
  .head button {
    border: 1px solid currentColor;
    border-radius: 6px;
    background: transparent;
    color: inherit;
    padding: 4px 9px;
    min-block-size: 30px;
  }
  .head :focus-visible {
    outline-color: currentColor;
  }
  .banner {
    padding: 8px 14px;
    background: var(--soft);
    border-block-end: 1px solid var(--line);
    font-size: 14px;
  }
  .log {
    flex: 1;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 14px;
    display: flex;
    flex-direction: column;
    gap: 12px;
  }
  .message {
    max-inline-size: 92%;
    align-self: flex-start;
    overflow-wrap: anywhere;
  }
  .message .bubble {
    padding: 9px 12px;
    border-radius: 12px;
    background: var(--soft);
  }
  .message.customer {
    align-self: flex-end;
  }
  .message.customer .bubble {
    background: var(--accent);
    color: var(--on-accent);
  }
  .who {
    font-size: 13px;
    color: var(--muted);
    margin-block-end: 2px;
  }
  .md > :first-child {
    margin-block-start: 0;
  }
  .md > :last-child {
    margin-block-end: 0;
  }
  .md p,
  .md ul,
  .md ol,
  .md pre,
  .md blockquote {
    margin-block: 0 8px;
  }
  .md ul,
  .md ol {
    padding-inline-start: 22px;
  }
  .md li > p {
    margin-block-end: 2px;
  }
  .md blockquote {
    margin-inline: 0;
    padding-inline-start: 10px;
    border-inline-start: 3px solid var(--line);
  }
  .md code {
    font: 13px/1.4 ui-monospace, Menlo, Consolas, monospace;
  }
  .md pre {
    overflow-x: auto;
    padding: 8px;
    background: var(--bg);
    border: 1px solid var(--line);
    border-radius: 6px;
  }
  .md-link {
    color: var(--link);
  }
  .md-host {
    font-size: 13px;
  }
  .md-cite {
    min-inline-size: 22px;
    margin-inline: 2px;
    padding: 0 4px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--bg);
    color: var(--link);
    font-size: 12px;
    line-height: 18px;
  }
  .under {
    margin-block-start: 6px;
    font-size: 14px;
    color: var(--muted);
  }
  .under ol {
    margin: 2px 0 0;
    padding-inline-start: 22px;
  }
  .under li.hit {
    outline: 2px solid var(--focus);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px;
    margin-block-start: 6px;
  }
  .chip {
    padding: 5px 11px;
    min-block-size: 30px;
    border: 1px solid var(--line);
    border-radius: 15px;
    background: var(--bg);
    color: var(--text);
    text-align: start;
    overflow-wrap: anywhere;
  }
  .chip:hover {
    background: var(--soft);
  }
  .chip[aria-pressed="true"] {
    background: var(--accent);
    color: var(--on-accent);
  }
  .primary {
    padding: 6px 14px;
    min-block-size: 36px;
    border: 0;
    border-radius: 8px;
    background: var(--accent);
    color: var(--on-accent);
  }
  .notice {
    font-size: 14px;
    color: var(--muted);
    text-align: center;
    overflow-wrap: anywhere;
  }
  .bad {
    color: var(--bad);
    font-size: 14px;
  }
  .dots {
    display: inline-flex;
    align-self: flex-start;
    gap: 4px;
    padding: 12px;
    border-radius: 12px;
    background: var(--soft);
  }
  .dots i {
    inline-size: 7px;
    block-size: 7px;
    border-radius: 50%;
    background: var(--muted);
    animation: blink 1.2s infinite;
  }
  .dots i:nth-child(2) {
    animation-delay: 0.2s;
  }
  .dots i:nth-child(3) {
    animation-delay: 0.4s;
  }
  @keyframes blink {
    50% {
      opacity: 0.2;
    }
  }
  .card {
    padding: 10px 14px;
    border-block-start: 1px solid var(--line);
    background: var(--soft);
  }
  .card label,
  .card legend {
    font-size: 14px;
    padding: 0;
  }
  .card fieldset {
    border: 0;
    margin: 0;
    padding: 0;
  }
  input,
  textarea {
    inline-size: 100%;
    padding: 8px 10px;
    border: 1px solid var(--muted);
    border-radius: 8px;
    background: var(--bg);
    color: var(--text);
  }
  textarea {
    resize: none;
  }
  ::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .composer {
    display: flex;
    gap: 8px;
    align-items: flex-end;
    padding: 10px 14px 6px;
    border-block-start: 1px solid var(--line);
  }
  .composer textarea {
    flex: 1;
    max-block-size: 140px;
    field-sizing: content;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    padding: 0 14px 10px;
  }
  .foot button {
    border: 0;
    background: none;
    color: var(--link);
    text-decoration: underline;
    font-size: 14px;
    padding: 4px 0;
    min-block-size: 28px;
    margin-inline-end: 12px;
  }
  @media (max-width: 480px) {
    :host(.open) {
      inset: 0;
    }
    .panel {
      inline-size: 100vw;
      block-size: 100dvh;
      border: 0;
      border-radius: 0;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
  @media (forced-colors: active) {
    .bubble,
    .launcher,
    .primary {
      border: 1px solid CanvasText;
    }
  }
`;
