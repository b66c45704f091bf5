/** Signing in, as every page of the team asks for it. */

import { html, type TemplateResult } from "lit";

import { Problem } from "../wire/http";
import { api } from "./api";
import { troubleText } from "./shared";

export class Login {
  /** Until the server says otherwise. */
  signedIn = true;
  #trouble = "";

  /** `load` asks again for what the page shows; `draw` shows it, or `view()` while nobody is signed in. */
  constructor(
    private readonly load: () => Promise<void>,
    private readonly draw: () => void,
  ) {}

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
        <p class="bad" role="alert">${this.#trouble}</p>
        <button class="primary" type="submit">Sign in</button>
      </form>
    </main>`;
  }

  async #signIn(name: string, password: string): Promise<void> {
    try {
      await api.login(name, password);
      this.#trouble = "";
      await this.load();
    } catch (error) {
      const wrong = error instanceof Problem && [401, 403].includes(error.status);
      this.#trouble = wrong ? "That isn't the name and its password." : troubleText(error);
      this.draw();
    }
  }
}
