/** Replies that are being written: kept per conversation in this tab until they are sent, across reloads. */

import { newId } from "../wire/http";

interface Draft {
  text: string;
  /** A reply that may or may not have arrived; the same text goes out under it again. */
  tried?: { text: string; id: string };
}

interface Kept {
  owner: string | null;
  drafts: Record<string, Draft>;
}

export class Drafts {
  readonly #key: string;
  #kept: Kept;

  constructor(key: string) {
    this.#key = key;
    this.#kept = this.#load();
  }

  /** Nobody is shown what somebody else was writing: one who signs in by another name begins with nothing. */
  belongTo(owner: string | null): void {
    if (owner === this.#kept.owner) return;
    this.#kept = { owner, drafts: {} };
    this.#save();
  }

  of(conversationId: string): string {
    return this.#kept.drafts[conversationId]?.text ?? "";
  }

  write(conversationId: string, text: string): void {
    this.#kept.drafts[conversationId] = { ...this.#kept.drafts[conversationId], text };
    this.#save();
  }

  /** The id under which `text` goes out: one and the same until it is known to have arrived. */
  idOf(conversationId: string, text: string): string {
    const draft = this.#kept.drafts[conversationId] ?? { text };
    if (draft.tried?.text === text) return draft.tried.id;
    const id = newId();
    this.#kept.drafts[conversationId] = { ...draft, tried: { text, id } };
    this.#save();
    return id;
  }

  /** `text` has arrived; what was written meanwhile stays. */
  sent(conversationId: string, text: string): void {
    const now = this.of(conversationId);
    delete this.#kept.drafts[conversationId];
    if (now.trim() !== text) this.#kept.drafts[conversationId] = { text: now };
    this.#save();
  }

  clear(): void {
    this.#kept = { owner: null, drafts: {} };
    this.#save();
  }

  #load(): Kept {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.#key) ?? "null") as Kept | null;
      if (found && typeof found.drafts === "object") return found;
    } catch {
      // Then they last as long as the page.
    }
    return { owner: null, drafts: {} };
  }

  #save(): void {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Then they last as long as the page.
    }
  }
}
