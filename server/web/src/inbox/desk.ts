/** The inbox: what is selected, what the server said last, and the streams that tell when to ask again. */

import { html, render } from "lit";

import { Follow } from "../wire/follow";
import { newId, Problem } from "../wire/http";
import { api, type ConversationView, type HandoffRow, type You } from "./api";
import { detailView, loadingView } from "./detail";
import { Drafts } from "./drafts";
import { Focus } from "./focus";
import { DRAFTS_KEY, PERSON_KEY, remember, remembered } from "./kept";
import { listView, type Filter } from "./list";
import { Login } from "./login";
import { Place } from "./place";
import { debounce, headerView, named, troubleText } from "./shared";

const HEADING = ".conversation h1";
const POLL_MS = 10_000;

export class DeskPage {
  #rows: HandoffRow[] = [];
  #queueNames: Record<string, string> | undefined;
  #filter: Filter = "waiting";
  #selected: string | null = null;
  #view: ConversationView | null = null;
  #person = remembered(PERSON_KEY);
  #you: You = { name: null, role: "admin" };
  #busy = false;
  /** What went wrong, by what: each goes when that works again. */
  #trouble = { act: "", list: "", view: "" };
  readonly #login: Login = new Login({
    load: async () => {
      await this.#loadList();
      if (this.#selected) await this.#loadConversation(this.#selected);
    },
    draw: () => this.#draw(),
    forget: () => {
      this.#stopStreams();
      this.#rows = [];
      this.#view = null;
      this.#person = "";
      this.#trouble = { act: "", list: "", view: "" };
      this.#you = { name: null, role: "admin" };
      this.#drafts.clear();
    },
  });
  #listStream: Follow | null = null;
  #conversationStream: Follow | null = null;
  readonly #drafts = new Drafts(DRAFTS_KEY);
  /** What may have been done or not: tried again it is the same act. */
  #doubtful: { act: string; id: string } | null = null;

  readonly #focus: Focus;
  readonly #place: Place;

  constructor(private readonly root: HTMLElement) {
    this.#focus = new Focus(root);
    this.#place = new Place(root, ".reading");
    window.addEventListener("hashchange", () => this.#route());
    // Promises become overdue and streams break without a word: ask now and then all the same.
    setInterval(() => {
      if (!this.#login.signedIn || document.visibilityState !== "visible") return;
      this.#refreshList();
      this.#askAgain();
    }, POLL_MS);
    this.#route(true);
    void this.#loadList();
  }

  #route(first = false): void {
    const selected = named("c");
    if (selected === this.#selected) return this.#draw();
    const left = this.#selected;
    this.#selected = selected;
    this.#view = null;
    this.#trouble = { ...this.#trouble, act: "", view: "" };
    this.#conversationStream?.close();
    this.#conversationStream = null;
    if (selected) void this.#loadConversation(selected);
    this.#draw();
    if (first) return;
    if (selected) this.#focus.next(HEADING, ".detail h1");
    else if (left) this.#focus.next(`a.row[href="#/c/${CSS.escape(left)}"]`, ".list h2");
  }

  async #loadList(): Promise<void> {
    const { round } = this.#login;
    try {
      const { handoffs, you, queue_names } = await api.handoffs(this.#filter === "mine" ? "with_person" : this.#filter);
      if (round !== this.#login.round) return;
      this.#know(you);
      this.#queueNames = queue_names;
      this.#rows = this.#filter === "mine" ? handoffs.filter((row) => this.#isMine(row)) : handoffs;
      this.#login.signedIn = true;
      this.#trouble.list = "";
      this.#listStream ??= this.#stream("list", "v1/inbox/events", null, () => {
        this.#refreshList();
      });
    } catch (error) {
      this.#failed("list", error);
    }
    this.#draw();
  }

  /** Whoever signed in with their name acts under it. */
  #know(you: You | undefined): void {
    if (!you) return;
    this.#you = you;
    this.#drafts.belongTo(you.name);
    if (you.name) this.#person = you.name;
  }

  /** Servers that don't name the person show everybody's. */
  #isMine(row: HandoffRow): boolean {
    return row.person === undefined || row.person === null || row.person === this.#person;
  }

  async #loadConversation(conversationId: string): Promise<void> {
    const { round } = this.#login;
    try {
      const view = await api.conversation(conversationId);
      if (conversationId !== this.#selected || round !== this.#login.round) return;
      // Whoever is in the middle of it reads on at its end; others begin with its story.
      if (this.#view === null && view.conversation.mode === "with_person") this.#place.beginAtEnd();
      this.#view = view;
      this.#trouble.view = "";
      this.#know(view.you);
      this.#conversationStream ??= this.#stream("view", api.eventsOf(conversationId), view.last_event_id, () => {
        this.#refreshConversation();
      });
    } catch (error) {
      if (conversationId === this.#selected) this.#failed("view", error);
    }
    this.#draw();
  }

  readonly #refreshList = debounce(() => void this.#loadList(), 300);
  readonly #refreshConversation = debounce(() => {
    if (this.#selected) void this.#loadConversation(this.#selected);
  }, 200);

  #stream(what: "list" | "view", url: string, lastEventId: string | null, onEvent: () => void): Follow {
    return new Follow({
      url,
      token: () => null,
      withCookie: true,
      lastEventId,
      onEvent,
      onState: (live) => {
        if (live) this.#askAgain();
        this.#draw();
      },
      onRefused: (problem) => {
        if (problem.status === 409 && this.#selected) {
          this.#conversationStream = null;
          void this.#loadConversation(this.#selected);
        } else {
          this.#failed(what, problem);
        }
      },
    });
  }

  #stopStreams(): void {
    this.#listStream?.close();
    this.#conversationStream?.close();
    this.#listStream = this.#conversationStream = null;
  }

  /** What couldn't be had may be there by now. */
  #askAgain(): void {
    if (this.#trouble.list) this.#refreshList();
    if (this.#trouble.view) this.#refreshConversation();
  }

  #failed(what: "act" | "list" | "view", error: unknown): void {
    if (this.#login.isMissing(error)) {
      this.#stopStreams();
    } else {
      const away = error instanceof Problem && error.status === 0;
      // An act isn't tried again by itself, so this stays until somebody does.
      this.#trouble[what] = what === "act" && away ? "The server couldn't be reached. Please try again." : troubleText(error);
    }
    this.#draw();
  }

  /** Do something to the selected conversation; true when the server did it. */
  async #act(action: (conversationId: string) => Promise<unknown>): Promise<boolean> {
    const selected = this.#selected;
    if (!selected || this.#busy) return false;
    this.#busy = true;
    this.#trouble.act = "";
    this.#draw();
    try {
      await action(selected);
      return true;
    } catch (error) {
      this.#failed("act", error);
      return false;
    } finally {
      this.#busy = false;
      // Not awaited: the form is cleared as soon as the server has the text.
      void this.#loadConversation(selected);
      this.#refreshList();
    }
  }

  /** Do something that happens once, however often it has to be tried. */
  async #once(act: string, action: (conversationId: string, actId: string) => Promise<unknown>): Promise<boolean> {
    const named = JSON.stringify([this.#selected, act]);
    if (this.#doubtful?.act !== named) this.#doubtful = { act: named, id: newId() };
    const { id } = this.#doubtful;
    const done = await this.#act((conversationId) => action(conversationId, id));
    if (done) this.#doubtful = null;
    return done;
  }

  async #reply(text: string, over: boolean): Promise<boolean> {
    const conversationId = this.#selected;
    if (!text || !conversationId || (over && !(await this.#take()))) return false;
    const body = { text, client_message_id: this.#drafts.idOf(conversationId, text), person: this.#person };
    const done = await this.#act((where) => api.reply(where, body));
    if (done) {
      this.#drafts.sent(conversationId, text);
      this.#place.toEnd();
    }
    this.#draw();
    return done;
  }

  #setPerson(person: string): void {
    this.#person = person;
    remember(PERSON_KEY, person);
    this.#draw();
  }

  #draw(): void {
    const page = (): unknown => (this.#login.signedIn ? this.#page() : this.#login.view());
    this.#focus.keep(() => this.#place.keep(() => render(page(), this.root)));
  }

  async #take(): Promise<boolean> {
    const person = this.#person;
    const taken = await this.#once(`take ${person}`, (where, id) => api.take(where, person, id));
    if (taken) {
      this.#focus.next("#reply");
      this.#place.toEnd();
    }
    return taken;
  }

  #page(): unknown {
    const model = {
      rows: this.#rows,
      queueNames: this.#queueNames,
      filter: this.#filter,
      selected: this.#selected,
      onFilter: (filter: Filter) => {
        this.#filter = filter;
        void this.#loadList();
      },
      onAgain: () => this.#focus.next(HEADING),
    };
    return html`${headerView({
        current: "inbox",
        live: this.#listStream?.live ?? false,
        main: this.#selected ? "the conversation" : "the list",
        who: this.#login.whoView(this.#you),
      })}
      <main class=${this.#selected ? "desk chosen" : "desk"}>${listView(model)} ${this.#detail()}</main>`;
  }

  #detail(): unknown {
    if (!this.#selected) return html`<p class="detail muted">Choose a conversation. ${this.#trouble.list}</p>`;
    if (!this.#view) return loadingView(this.#trouble.view || this.#trouble.list);
    return detailView({
      view: this.#view,
      you: this.#you,
      person: this.#person,
      busy: this.#busy,
      trouble: this.#trouble.act || this.#trouble.view || this.#trouble.list,
      draft: this.#drafts.of(this.#selected),
      onPerson: (person) => this.#setPerson(person),
      onTake: () => void this.#take(),
      onDraft: (text) => this.#drafts.write(this.#view!.conversation.conversation_id, text),
      onReply: (text, over) => this.#reply(text, over),
      onHandBack: (note) =>
        this.#once(`hand back ${note}`, (where, id) => api.handBack(where, { note, person: this.#person }, id)),
      onResolve: (outcome, note) =>
        this.#once(`${outcome} ${note}`, (where, id) => api.resolve(where, outcome, { note, person: this.#person }, id)),
    });
  }
}
