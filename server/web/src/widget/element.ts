/** `<helpgraph-widget>`: the launcher, the panel, and what ties them to the page. */

import { html, LitElement, type PropertyValues } from "lit";

import type { Guidance } from "../wire/types";
import { Client, type Identity } from "./client";
import { applyAccent } from "./colour";
import { keepFocusInside } from "./focus";
import { Forms } from "./forms";
import { showGuidance, stopGuidance } from "./guide";
import { Memory } from "./memory";
import { PageWatcher } from "./page";
import { launcherView, panelView, type PanelActions, type PanelModel, type PanelState } from "./panel";
import { fill, pickLanguage, stringsFor, type Strings } from "./strings";
import { styles } from "./styles";
import { Transcript, type ShownMessage } from "./transcript";
import { spokenText, type ViewContext } from "./views";

const MAX_MESSAGE = 8_000;
const REDRAW_MS = 40;
/** What is left of the message above a long one. */
const BEFORE_PX = 8;
/** Whoever scrolled up less than this still follows. */
const NEAR_PX = 60;

export class HelpgraphWidget extends LitElement {
  static override styles = styles;
  static override properties = {
    server: {},
    workspace: {},
    language: {},
    accent: {},
    position: { reflect: true },
    identityToken: { attribute: "identity-token" },
    userId: { attribute: "user-id" },
    userHash: { attribute: "user-hash" },
    routeBase: { attribute: "route-base" },
  };

  declare server: string;
  declare workspace: string;
  declare language: string;
  declare accent: string;
  declare position: string;
  declare identityToken: string;
  declare userId: string;
  declare userHash: string;
  declare routeBase: string;

  readonly #transcript = new Transcript();
  #client!: Client;
  #watcher: PageWatcher | null = null;
  #memory!: Memory;
  #open = false;
  #unread = 0;
  #said = "";
  #draft = "";
  #stick = true;
  /** How far down the newest message is shown. */
  #newestAt = 0;
  readonly #forms = new Forms({
    client: () => this.#client,
    transcript: this.#transcript,
    strings: () => this.#strings,
    say: (text) => this.#say(text),
    tell: (text) => this.#tell(text),
    changed: () => this.requestUpdate(),
    focusComposer: () => this.#focusComposer(),
  });
  #redraw: ReturnType<typeof setTimeout> | null = null;
  #undo: (() => void)[] = [];

  constructor() {
    super();
    this.server = this.workspace = this.language = this.accent = this.identityToken = this.routeBase = "";
    this.userId = this.userHash = "";
    this.position = "right";
  }

  // --- what pages may call ---

  openPanel(): void {
    this.#setOpen(true);
  }

  closePanel(): void {
    this.#setOpen(false);
  }

  /** Say who the customer is, e.g. after a login without a page load. */
  identify(identityToken: string): void {
    this.identityToken = identityToken;
    void this.#client?.refresh().catch(() => undefined);
  }

  /** What the page was given by its own server: a token, or an id with its hash. */
  #identity(): Identity {
    if (this.identityToken) return { identity_token: this.identityToken };
    return this.userId && this.userHash ? { user_id: this.userId, user_hash: this.userHash } : {};
  }

  // --- life ---

  override connectedCallback(): void {
    super.connectedCallback();
    this.#memory = new Memory(this.server, this.workspace);
    this.#client = new Client({
      server: this.server.replace(/\/+$/, ""),
      identity: () => this.#identity(),
      language: () => this.#language,
      page: () => this.#watcher!.context(),
      memory: this.#memory,
      transcript: this.#transcript,
      onChange: () => this.#soon(),
    });
    this.#transcript.onArrival = (message) => this.#arrived(message);
    this.#transcript.onRunError = () => this.#runFailed();
    this.#watcher = new PageWatcher({
      routeBase: this.routeBase,
      language: this.#language,
      actionsKey: this.#memory.actionsKey,
      onNavigate: () => this.#navigated(),
      ignore: this,
    });
    this.#listen(document, "visibilitychange", () => this.#followOrNot());
    this.#listen(window, "online", () => this.#followOrNot());
    this.#listen(window, "offline", () => this.requestUpdate());
    this.#listen(document, "keydown", (event) => this.#strayKey(event as KeyboardEvent));
    if (this.#memory.open) this.#setOpen(true, false);
    else if (this.#memory.load()) this.#prefetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#undo.splice(0).forEach((undo) => undo());
    this.#watcher?.stop();
    this.#client.stop();
    stopGuidance();
  }

  #listen(target: EventTarget, name: string, handler: (event: Event) => void): void {
    target.addEventListener(name, handler);
    this.#undo.push(() => target.removeEventListener(name, handler));
  }

  get #language(): string {
    return pickLanguage(this.language, document.documentElement.lang, navigator.language);
  }

  get #strings(): Strings {
    return stringsFor(this.#language, this.#client.session?.strings ?? {});
  }

  // --- what happens ---

  #prefetch = (): void => {
    this.#client.start().then(
      () => this.#followOrNot(),
      () => undefined,
    );
  };

  #setOpen(open: boolean, focus = true): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#memory.open = open;
    this.classList.toggle("open", open);
    if (open) {
      this.#unread = 0;
      this.#stick = true;
      this.#prefetch();
    }
    this.#followOrNot();
    this.requestUpdate();
    void this.updateComplete.then(() => {
      const field = this.#find<HTMLTextAreaElement>("textarea");
      if (field) field.value = this.#draft;
      if (focus) this.#find(open ? "textarea" : ".launcher")?.focus();
    });
  }

  /** A stream per hidden tab would use up the browser's few connections; a waiting customer keeps it. */
  #followOrNot(): void {
    const talking = !this.#transcript.isEmpty;
    const person = ["waiting", "with_person"].includes(this.#transcript.mode.mode);
    const shown = document.visibilityState === "visible";
    this.#client.follow(Boolean(this.#client.session) && (person || this.#transcript.running || (shown && (talking || this.#open))));
    this.requestUpdate();
  }

  #navigated(): void {
    stopGuidance();
    if (this.#transcript.isEmpty && this.#client.session) void this.#client.refresh().catch(() => undefined);
  }

  #arrived(message: ShownMessage): void {
    if (!this.#open) this.#unread += 1;
    this.#said = spokenText(message, this.#strings);
  }

  #runFailed(): void {
    this.#transcript.addNotice(this.#strings.runFailed, this.#transcript.lastCustomerText);
    this.#said = this.#strings.runFailed;
  }

  #say = (text: string): void => {
    const trimmed = text.trim();
    if (!trimmed) return;
    this.#stick = true;
    this.#client.say(trimmed);
  };

  /** Say what a button says. It goes then, and the keyboard goes on where one writes; "Ask differently" says nothing. */
  #pick = (text: string): void => {
    this.#say(text);
    // On a phone the field would bring its keyboard up, over the answer.
    if (!text.trim() || matchMedia("(pointer: fine)").matches) this.#focusComposer();
  };

  #submit = (event: Event): void => {
    event.preventDefault();
    const field = this.#find<HTMLTextAreaElement>("textarea");
    if (!field || !field.value.trim()) return;
    if (field.value.length > MAX_MESSAGE) {
      this.#tell(fill(this.#strings.tooLong, { count: field.value.length, limit: MAX_MESSAGE }));
      return;
    }
    this.#say(field.value);
    field.value = this.#draft = "";
    field.focus();
  };

  #typed = (event: InputEvent): void => {
    this.#draft = (event.currentTarget as HTMLTextAreaElement).value;
    if (this.#draft.trim()) this.#client.typing();
  };

  #composerKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
  };

  #panelKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#setOpen(false);
    } else if (event.key === "Tab" && this.#fullScreen) {
      keepFocusInside(this.renderRoot as ShadowRoot, event);
    }
  };

  /** Focus falls back to the page when what had it goes away; Escape still closes then. */
  #strayKey(event: KeyboardEvent): void {
    const nowhere = document.activeElement === null || document.activeElement === document.body;
    if (event.key === "Escape" && this.#open && nowhere) this.#setOpen(false);
  }

  #focusComposer(): void {
    void this.updateComplete.then(() => this.#find("textarea")?.focus());
  }

  get #fullScreen(): boolean {
    return matchMedia("(max-width: 480px)").matches;
  }

  #feedback = (message: ShownMessage, helpful: boolean): void => {
    this.#client.feedback(message, helpful).catch(() => this.#tell(this.#strings.failed));
  };

  #show = (guidance: Guidance): void => {
    const back = (): void => this.#setOpen(true);
    if (!showGuidance(guidance, this.#strings, back)) this.#tell(this.#strings.notHere);
    else this.#setOpen(false, false);
  };

  #cite = (message: ShownMessage, n: number): void => {
    const article = this.#find(`[data-message-id="${CSS.escape(message.message_id)}"]`);
    const item = article?.querySelector<HTMLElement>(`[data-source="${n}"]`);
    article?.querySelectorAll(".hit").forEach((other) => other.classList.remove("hit"));
    item?.classList.add("hit");
    (item?.querySelector("a") ?? item)?.focus();
  };

  #tell(text: string): void {
    this.#transcript.addNotice(text);
    this.#said = text;
    this.#soon();
  }

  // --- drawing ---

  /** A fast stream redraws some 25 times a second, not for every piece. */
  #soon(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = null;
      if (this.#transcript.mode.mode === "bot") this.#forms.personAsked &&= this.#transcript.running;
      this.requestUpdate();
    }, REDRAW_MS);
  }

  #find<T extends HTMLElement = HTMLElement>(selector: string): T | null {
    return this.renderRoot.querySelector<T>(selector);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("accent")) applyAccent(this, this.accent);
    const log = this.#find(".log");
    if (log && this.#stick) this.#showNewest(log);
  }

  /** Down to the end, but never past the beginning of the newest message, and never up. */
  #showNewest(log: HTMLElement): void {
    const newest = [...log.querySelectorAll("article.message")].at(-1);
    const end = log.scrollHeight - log.clientHeight;
    const above = newest ? newest.getBoundingClientRect().top - log.getBoundingClientRect().top : end;
    this.#newestAt = Math.min(end, log.scrollTop + above - BEFORE_PX);
    if (log.scrollTop < this.#newestAt) log.scrollTop = this.#newestAt;
  }

  #scrolled = (event: Event): void => {
    this.#stick = (event.currentTarget as HTMLElement).scrollTop > this.#newestAt - NEAR_PX;
  };

  protected override render(): unknown {
    const model = this.#model(this.#strings);
    return html`<div lang=${this.#language}>
      ${this.#open ? panelView(model) : launcherView(model)}
      <div class="sr" role="status" aria-live="polite">${this.#said}</div>
    </div>`;
  }

  #model(strings: Strings): PanelModel {
    const session = this.#client.session;
    const state: PanelState = {
      title: session?.workspace.name ?? strings.title,
      unread: this.#unread,
      session,
      transcript: this.#transcript,
      unreachable: this.#client.unreachable && !session,
      offline: !navigator.onLine,
      busy: this.#client.busy,
      reconnecting: session !== null && !this.#client.live && !this.#transcript.isEmpty,
      personAsked: this.#forms.personAsked,
      fullScreen: this.#fullScreen,
      emailWrong: this.#forms.emailWrong,
      emailLeft: this.#forms.emailLeft,
      stars: this.#forms.stars,
      rating: this.#forms.rating !== "no",
      asking: this.#forms.asking,
    };
    const context: ViewContext = {
      strings,
      language: this.#language,
      linkHosts: this.#client.linkHosts,
      supportEmail: session ? (session.workspace.support_email ?? null) : (this.#memory.load()?.supportEmail ?? null),
      say: this.#pick,
      retry: (message) => this.#client.say(message.text, message),
      feedback: this.#feedback,
      show: this.#show,
      cite: this.#cite,
      dropNotice: (notice) => this.#transcript.dropNotice(notice.key),
    };
    return { ...state, context, actions: this.#actions };
  }

  readonly #actions: PanelActions = {
    open: () => this.#setOpen(true),
    close: () => this.#setOpen(false),
    prefetch: this.#prefetch,
    panelKey: this.#panelKey,
    scrolled: this.#scrolled,
    submit: this.#submit,
    typed: this.#typed,
    composerKey: this.#composerKey,
    askForPerson: this.#forms.askForPerson,
    end: this.#forms.end,
    keepWaiting: this.#forms.keepWaiting,
    endAnyway: this.#forms.endAnyway,
    leaveEmail: this.#forms.leaveEmail,
    setStars: this.#forms.setStars,
    rate: this.#forms.rate,
    skipRating: this.#forms.rated,
  };
}
