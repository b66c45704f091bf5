/** What the browser keeps between page loads: the session's token, its conversation's id, the team's address; no text. */

export interface Remembered {
  token: string;
  conversationId: string;
  /** Where the team can be written to when the server can't be reached. */
  supportEmail?: string | null;
}

/** Storage that never throws: where it is forbidden, the conversation lasts as long as the page. */
export class Memory {
  readonly #key: string;

  constructor(server: string, workspace: string) {
    this.#key = `helpgraph:${server}:${workspace}`;
  }

  get actionsKey(): string {
    return `${this.#key}:actions`;
  }

  load(): Remembered | null {
    try {
      const stored = JSON.parse(localStorage.getItem(this.#key) ?? "null") as Partial<Remembered> | null;
      if (typeof stored?.token !== "string" || typeof stored.conversationId !== "string") return null;
      const supportEmail = typeof stored.supportEmail === "string" ? stored.supportEmail : null;
      return { token: stored.token, conversationId: stored.conversationId, supportEmail };
    } catch {
      return null;
    }
  }

  save(remembered: Remembered): void {
    this.#try(() => localStorage.setItem(this.#key, JSON.stringify(remembered)));
  }

  forget(): void {
    this.#try(() => localStorage.removeItem(this.#key));
  }

  get open(): boolean {
    try {
      return sessionStorage.getItem(`${this.#key}:open`) === "1";
    } catch {
      return false;
    }
  }

  set open(value: boolean) {
    this.#try(() => sessionStorage.setItem(`${this.#key}:open`, value ? "1" : "0"));
  }

  #try(action: () => void): void {
    try {
      action();
    } catch {
      // Private windows and full disks refuse to store.
    }
  }
}
