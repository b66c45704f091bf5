/** Signing in, as every page of the team asks for it. */

import { html, nothing, type TemplateResult } from "lit";

import { Problem } from "../wire/http";
import { api, type You } from "./api";
import { forget, OUT_KEY, remember } from "./kept";
import { text, troubleText } from "./shared";

export interface Signing {
  /** Ask again for what the page shows. */
  load: () => Promise<void>;
  /** Show it, or `view()` while nobody is signed in. */
  draw: () => void;
  /** Let go of whatever the page has from whoever was signed in. */
  forget: () => void;
}

export class Login {
  /** Until the server says otherwise. */
  signedIn = true;
  /** What was asked for before somebody signed out is nobody's answer any more. */
  round = 0;
  #trouble = "";
  #said = "";

  constructor(private readonly page: Signing) {
    window.addEventListener("storage", (event) => {
      if (event.key === OUT_KEY && event.newValue && this.signedIn) this.#out();
    });
  }

  /** Whether that is why the server refused; then nobody is signed in any more. */
  isMissing(error: unknown): boolean {
    const missing = error instanceof Problem && error.status === 401;
    if (missing) this.signedIn = false;
    return missing;
  }

  view(): TemplateResult {
    const submit = (event: Event): void => {
      event.preventDefault();
      const { elements } = event.currentTarget as HTMLFormElement;
      const name = elements.namedItem("username") as HTMLInputElement;
      const password = elements.namedItem("password") as HTMLInputElement;
      void this.#signIn(name.value.trim(), password.value);
      password.value = "";
    };
    return html`<main class="login">
      <h1>Sign in</h1>
      <form @submit=${submit}>
        <label for="username">Name, if you were given one</label>
        <input id="username" name="username" autocomplete="username" maxlength="100" />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required autofocus />
        <p role="status">${this.#said}</p>
        <p class="bad" role="alert">${this.#trouble}</p>
        <button class="primary" type="submit">Sign in</button>
      </form>
    </main>`;
  }

  /** Who it is, and the way out; nothing where the door is open. */
  whoView(you: You | undefined): TemplateResult | typeof nothing {
    if (!you || you.signed_in === false) return nothing;
    const who = you.name ? html`Signed in as <b>${text(you.name)}</b> (${you.role})` : "Signed in by the inbox's password";
    return html`<div class="who">
      <span>${who}</span> <button type="button" @click=${() => void this.#signOut()}>Sign out</button>
      ${this.#trouble ? html`<span class="bad" role="alert">${this.#trouble}</span>` : nothing}
    </div>`;
  }

  async #signOut(): Promise<void> {
    try {
      await api.logout();
      this.#out();
      remember(OUT_KEY, new Date().toISOString());
    } catch (error) {
      this.#trouble = troubleText(error);
      this.page.draw();
    }
  }

  #out(): void {
    forget();
    this.page.forget();
    this.signedIn = false;
    this.round++;
    this.#trouble = "";
    this.#said = "You are signed out.";
    this.page.draw();
    document.getElementById("username")?.focus();
  }

  async #signIn(name: string, password: string): Promise<void> {
    try {
      await api.login(name, password);
      this.#trouble = this.#said = "";
      await this.page.load();
    } catch (error) {
      const wrong = error instanceof Problem && [401, 403].includes(error.status);
      this.#trouble = wrong ? "That isn't the name and its password." : troubleText(error);
      this.page.draw();
    }
  }
}
