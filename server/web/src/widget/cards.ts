/** The small forms under the conversation: an address for later, whether somebody is still waited for, and a rating. */

import { html, nothing, type TemplateResult } from "lit";

import { fill, type Strings } from "./strings";

/** Good enough to catch a slip; whether the address exists only a mail can tell. */
export function looksLikeEmail(text: string): boolean {
  return text.length <= 254 && /^[^\s@,;<>"]+@[^\s@,;<>"]+\.[^\s@.,;<>"]{2,}$/.test(text);
}

export interface EmailCard {
  wrong: boolean;
  onSend: (address: string) => void;
}

export function emailView(card: EmailCard, strings: Strings): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("email") as HTMLInputElement;
    card.onSend(field.value.trim());
  };
  return html`<form class="card email" novalidate @submit=${submit}>
    <label for="hg-email">${strings.email}</label>
    <input
      id="hg-email"
      name="email"
      type="email"
      dir="ltr"
      autocomplete="email"
      aria-invalid=${card.wrong ? "true" : "false"}
      aria-describedby="hg-email-wrong"
    />
    <div id="hg-email-wrong" class="bad" role="alert">${card.wrong ? strings.emailWrong : nothing}</div>
    <div class="row"><button class="primary" type="submit">${strings.emailSend}</button></div>
  </form>`;
}

export interface WaitingCard {
  onWait: () => void;
  onEnd: () => void;
}

/** Whoever ends a chat while waiting for a person says what becomes of the wish. */
export function waitingView(card: WaitingCard, strings: Strings): TemplateResult {
  return html`<div class="card still" role="group" aria-labelledby="hg-still">
    <div id="hg-still">${strings.stillAnswer}</div>
    <div class="row">
      <button class="primary" type="button" @click=${card.onWait}>${strings.keepWaiting}</button>
      <button class="chip" type="button" @click=${card.onEnd}>${strings.endAnyway}</button>
    </div>
  </div>`;
}

export interface RatingCard {
  stars: number;
  onStars: (stars: number) => void;
  onSend: (comment: string) => void;
  onSkip: () => void;
}

export function ratingView(card: RatingCard, strings: Strings): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("comment") as HTMLInputElement | null;
    card.onSend(field?.value.trim() ?? "");
  };
  return html`<form class="card rating" @submit=${submit}>
    <fieldset>
      <legend>${strings.rate}</legend>
      <div class="row">
        ${[1, 2, 3, 4, 5].map(
          (n) =>
            html`<button
              class="chip"
              type="button"
              aria-pressed=${card.stars === n ? "true" : "false"}
              aria-label=${fill(strings.star, { n })}
              @click=${() => card.onStars(n)}
            >
              ${n} <span aria-hidden="true">★</span>
            </button>`,
        )}
      </div>
    </fieldset>
    ${card.stars
      ? html`<label for="hg-comment">${strings.comment}</label>
          <input id="hg-comment" name="comment" maxlength="1000" dir="auto" />`
      : nothing}
    <div class="row">
      <button class="primary" type="submit" ?hidden=${!card.stars}>${strings.rateSend}</button>
      <button class="chip" type="button" @click=${card.onSkip}>${strings.skip}</button>
    </div>
  </form>`;
}
