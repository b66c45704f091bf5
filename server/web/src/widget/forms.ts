/** What the customer can do beside writing: ask for a person, leave an address, rate, end. */

import { looksLikeEmail } from "./cards";
import type { Client } from "./client";
import type { Strings } from "./strings";
import type { Transcript } from "./transcript";

export interface FormsHost {
  client: () => Client;
  transcript: Transcript;
  strings: () => Strings;
  say: (text: string) => void;
  tell: (text: string) => void;
  changed: () => void;
  focusComposer: () => void;
}

export class Forms {
  personAsked = false;
  emailWrong = false;
  emailLeft = false;
  stars = 0;
  rating: "no" | "ending" = "no";
  /** Whether it is asked if a person should still answer. */
  asking = false;

  constructor(private readonly host: FormsHost) {}

  readonly askForPerson = (): void => {
    const { host } = this;
    this.personAsked = true;
    // The button is gone once somebody comes.
    host.focusComposer();
    host.changed();
    host
      .client()
      .askForPerson()
      .then(
        () => host.tell(host.strings().talkAsked),
        () => {
          this.personAsked = false;
          host.tell(host.strings().failed);
        },
      );
  };

  readonly leaveEmail = (address: string): void => {
    this.emailWrong = !looksLikeEmail(address);
    if (!this.emailWrong) {
      this.emailLeft = true;
      this.host.say(address);
      this.host.focusComposer();
    }
    this.host.changed();
  };

  readonly setStars = (stars: number): void => {
    this.stars = stars;
    this.host.changed();
  };

  readonly rate = (comment: string): void => {
    if (!this.stars) return;
    const { host } = this;
    host
      .client()
      .rate(this.stars, comment)
      .then(
        () => this.rated(),
        () => host.tell(host.strings().failed),
      );
  };

  /** The rating is given or declined; after "end chat" a new conversation begins. */
  readonly rated = (): void => {
    const { host } = this;
    const ending = this.rating === "ending";
    host.transcript.rated = true;
    this.rating = "no";
    this.stars = 0;
    this.personAsked = this.emailLeft = false;
    if (ending) void host.client().restart().catch(() => undefined);
    else host.tell(host.strings().thanks);
    host.focusComposer();
    host.changed();
  };

  readonly end = (): void => {
    const { mode } = this.host.transcript.mode;
    if (mode === "waiting") this.asking = true;
    else void this.#leave(mode === "with_person");
    this.host.changed();
  };

  /** The answer comes into this chat, so it stays. */
  readonly keepWaiting = (): void => {
    this.asking = false;
    this.host.tell(this.host.strings().stillWaiting);
    this.host.focusComposer();
    this.host.changed();
  };

  readonly endAnyway = (): void => void this.#leave(true);

  /** With `told` the team hears of it first; without that the chat isn't over. */
  async #leave(told: boolean): Promise<void> {
    try {
      if (told) await this.host.client().end();
    } catch {
      this.host.tell(this.host.strings().failed);
      return;
    }
    this.asking = false;
    this.rating = "ending";
    if (this.host.transcript.rated) this.rated();
    this.host.focusComposer();
    this.host.changed();
  }
}
