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

  constructor(private readonly host: FormsHost) {}

  readonly askForPerson = (): void => {
    const { host } = this;
    this.personAsked = true;
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
    this.rating = "ending";
    if (this.host.transcript.rated) this.rated();
    this.host.changed();
  };
}
