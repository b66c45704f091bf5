/** The launcher and the panel around the conversation. */

import { html, nothing } from "lit";

import type { Session } from "../wire/types";
import { emailView, ratingView, waitingView } from "./cards";
import type { Transcript } from "./transcript";
import { bannerText, byEmailView, logView, openingView, thinkingView, type ViewContext } from "./views";

export interface PanelState {
  title: string;
  unread: number;
  session: Session | null;
  transcript: Transcript;
  unreachable: boolean;
  offline: boolean;
  busy: boolean;
  reconnecting: boolean;
  personAsked: boolean;
  fullScreen: boolean;
  emailWrong: boolean;
  emailLeft: boolean;
  stars: number;
  rating: boolean;
  asking: boolean;
}

export interface PanelActions {
  open: () => void;
  close: () => void;
  prefetch: () => void;
  panelKey: (event: KeyboardEvent) => void;
  scrolled: (event: Event) => void;
  submit: (event: Event) => void;
  typed: (event: InputEvent) => void;
  composerKey: (event: KeyboardEvent) => void;
  askForPerson: () => void;
  end: () => void;
  keepWaiting: () => void;
  endAnyway: () => void;
  leaveEmail: (address: string) => void;
  setStars: (stars: number) => void;
  rate: (comment: string) => void;
  skipRating: () => void;
}

export type PanelModel = PanelState & { context: ViewContext; actions: PanelActions };

export function launcherView({ unread, context, actions }: PanelModel): unknown {
  const { strings } = context;
  const label = unread ? `${strings.launcher} (${strings.newMessage}: ${unread})` : strings.launcher;
  return html`<button
    class="launcher"
    type="button"
    aria-haspopup="dialog"
    aria-expanded="false"
    aria-label=${label}
    @click=${actions.open}
    @pointerenter=${actions.prefetch}
    @focus=${actions.prefetch}
  >
    <span aria-hidden="true">?</span>
    ${unread ? html`<span class="badge" aria-hidden="true">${unread}</span>` : nothing}
  </button>`;
}

export function panelView(model: PanelModel): unknown {
  const { context, actions, transcript } = model;
  const { strings } = context;
  return html`<section
    class="panel"
    role="dialog"
    aria-modal=${model.fullScreen ? "true" : "false"}
    aria-labelledby="hg-title"
    @keydown=${actions.panelKey}
  >
    <header class="head">
      <h2 id="hg-title"><bdi>${model.title}</bdi></h2>
      <button class="close" type="button" aria-label=${strings.close} @click=${actions.close}>
        <span aria-hidden="true">✕</span>
      </button>
    </header>
    ${banner(model)}
    <div class="log" role="log" aria-live="off" aria-label=${strings.log} tabindex="0" @scroll=${actions.scrolled}>
      ${conversation(model)}
    </div>
    ${cards(model)}
    <form class="composer" @submit=${actions.submit}>
      <textarea
        rows="1"
        dir="auto"
        aria-label=${strings.placeholder}
        placeholder=${strings.placeholder}
        @input=${actions.typed}
        @keydown=${actions.composerKey}
      ></textarea>
      <button class="primary" type="submit">${strings.send}</button>
    </form>
    <div class="foot">
      ${["waiting", "with_person"].includes(transcript.mode.mode)
        ? nothing
        : html`<button class="talk" type="button" ?disabled=${model.personAsked} @click=${actions.askForPerson}>
            ${strings.talk}
          </button>`}
      ${transcript.isEmpty
        ? nothing
        : html`<button class="end" type="button" @click=${actions.end}>${strings.end}</button>`}
    </div>
  </section>`;
}

function banner({ transcript, context, offline, busy, reconnecting }: PanelModel): unknown {
  const { strings, language } = context;
  const lines = [bannerText(transcript.mode, strings, language)];
  if (offline) lines.push(strings.offline);
  else if (busy) lines.push(strings.busy);
  else if (reconnecting) lines.push(strings.reconnecting);
  const shown = lines.filter(Boolean);
  return html`<div class="banner" role="status" ?hidden=${!shown.length}>
    ${shown.map((line) => html`<div><bdi>${line}</bdi></div>`)}
  </div>`;
}

function conversation({ session, transcript, unreachable, context, actions }: PanelModel): unknown {
  const { strings } = context;
  const writing = transcript.messages.some((message) => message.streaming);
  const botSpeaks = ["bot", "handed_back", "closed"].includes(transcript.mode.mode);
  return html`${session && transcript.isEmpty ? openingView(session.opening, session.suggestions, context) : nothing}
  ${unreachable
    ? html`<div class="notice">
        ${strings.started}
        <button class="chip" type="button" @click=${actions.prefetch}>${strings.retry}</button>
        ${byEmailView(context)}
      </div>`
    : nothing}
  ${logView(transcript, context)} ${transcript.running && botSpeaks && !writing ? thinkingView(strings) : nothing}`;
}

function cards(model: PanelModel): unknown {
  const { transcript, context, actions } = model;
  const { mode, ask_email } = transcript.mode;
  if (model.asking && mode === "waiting") {
    return waitingView({ onWait: actions.keepWaiting, onEnd: actions.endAnyway }, context.strings);
  }
  if (model.rating || (mode === "closed" && !transcript.rated)) {
    const { stars } = model;
    const card = { stars, onStars: actions.setStars, onSend: actions.rate, onSkip: actions.skipRating };
    return ratingView(card, context.strings);
  }
  if (mode !== "waiting" || !ask_email || model.emailLeft) return nothing;
  return emailView({ wrong: model.emailWrong, onSend: actions.leaveEmail }, context.strings);
}
