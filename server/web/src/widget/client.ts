/** Talks to the server: a session, one stream that stays open, and messages that arrive exactly once. */

import { Follow } from "../wire/follow";
import { backoffMs, newId, pause, Problem, send } from "../wire/http";
import { readRecords } from "../wire/sse";
import type { PageContext, Session, WireEvent } from "../wire/types";
import type { Memory } from "./memory";
import type { ShownMessage, Transcript } from "./transcript";

const ATTEMPTS = 5;
const TIMEOUT_MS = 20_000;
const LONGEST_WAIT_MS = 60_000;
const QUIET_MS = 40_000;
const TYPING_EVERY_MS = 1_000;

/** How the product's server vouches for its user; empty for a visitor. */
export type Identity = { identity_token: string } | { user_id: string; user_hash: string } | Record<string, never>;

export interface ClientOptions {
  server: string;
  identity: () => Identity;
  language: () => string;
  page: () => PageContext;
  memory: Memory;
  transcript: Transcript;
  onChange: () => void;
}

export class Client {
  session: Session | null = null;
  /** Set while the session can't be had. */
  unreachable = false;
  /** Set while the server asked us to wait. */
  busy = false;
  #starting: Promise<Session> | null = null;
  #follow: Follow | null = null;
  #followWanted = false;
  #accepted: Promise<void> = Promise.resolve();
  #reading: AbortController | null = null;
  #typedAt = 0;
  #refusals = 0;
  /** Of a wish for a person that may have arrived or not. */
  #wishId: string | null = null;

  constructor(private readonly options: ClientOptions) {}

  get live(): boolean {
    return this.#follow?.live ?? false;
  }

  get linkHosts(): readonly string[] {
    return this.session?.workspace.link_hosts ?? [];
  }

  /** The session, begun or resumed on first use. Rejects with a `Problem`. */
  start(): Promise<Session> {
    this.#starting ??= this.#begin().catch((error: unknown) => {
      this.#starting = null;
      this.unreachable = true;
      this.options.onChange();
      throw error;
    });
    return this.#starting;
  }

  /** Ask again, e.g. for the opening of another page. The conversation stays the same. */
  async refresh(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    await this.start();
  }

  /** Begin anew with an empty conversation. */
  async restart(): Promise<void> {
    this.options.memory.forget();
    this.#wishId = null;
    this.#stopFollowing();
    this.#reading?.abort();
    this.session = null;
    this.options.transcript.clear();
    await this.refresh();
  }

  /** Keep the stream open (people's answers, changes of mode), or let it go. */
  follow(wanted: boolean): void {
    this.#followWanted = wanted;
    if (!wanted) this.#stopFollowing();
    else if (this.session && !this.#follow) this.#startFollowing(this.session);
    this.#follow?.wake();
  }

  /** Send a message, or send it once more under its id after it failed. */
  say(text: string, again?: ShownMessage): void {
    const messageId = again?.message_id ?? newId();
    if (again) again.delivery = "sending";
    else this.options.transcript.addOwn(messageId, text);
    this.options.onChange();
    const before = this.#accepted;
    // One after the other, so that two quick messages can't overtake each other.
    this.#accepted = before.then(() => this.#deliver(messageId, text)).catch(() => undefined);
  }

  /** Tell that the customer is writing, so that the answer waits for the end of a burst. */
  typing(): void {
    const now = Date.now();
    if (!this.session || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#post("typing", {}).catch(() => undefined);
  }

  /** Ask for a person. While nobody knows whether the wish arrived, asking again is the same wish. */
  async askForPerson(): Promise<void> {
    await this.#accepted;
    if (this.#wishId && this.options.transcript.get(this.#wishId)) this.#wishId = null;
    const wishId = (this.#wishId ??= newId());
    try {
      await this.#insist(async () => {
        await this.start();
        this.follow(true);
        await this.#post("handoff", { client_message_id: wishId, page: this.options.page() });
      });
      this.#wishId = null;
    } catch (error) {
      if (error instanceof Problem && !error.retryable) this.#wishId = null;
      throw error;
    }
  }

  async feedback(message: ShownMessage, helpful: boolean): Promise<void> {
    const before = message.helpful;
    this.#setHelpful(message.message_id, helpful);
    try {
      await this.#post("feedback", { message_id: message.message_id, helpful });
    } catch (error) {
      this.#setHelpful(message.message_id, before);
      throw error;
    }
  }

  rate(stars: number, comment: string): Promise<void> {
    return this.#post("rating", comment ? { stars, comment } : { stars });
  }

  /** Tell that the chat is over: nobody is waited for any more. */
  end(): Promise<void> {
    return this.#post("end", {});
  }

  stop(): void {
    this.#stopFollowing();
    this.#reading?.abort();
  }

  #setHelpful(messageId: string, helpful: boolean | null): void {
    const message = this.options.transcript.get(messageId);
    if (message) message.helpful = helpful;
    this.options.onChange();
  }

  async #begin(): Promise<Session> {
    const remembered = this.options.memory.load();
    const anyone = {
      session_token: remembered?.token ?? null,
      page: this.options.page(),
      language: this.options.language(),
    };
    const session = await this.#createSession(anyone, this.options.identity());
    const previous = this.session;
    this.session = session;
    this.unreachable = false;
    this.options.memory.save({
      token: session.session_token,
      conversationId: session.conversation_id,
      supportEmail: session.workspace.support_email ?? null,
    });
    if (previous?.conversation_id !== session.conversation_id || !this.live) {
      this.#stopFollowing();
      this.options.transcript.reset(session);
      if (this.#followWanted) this.#startFollowing(session);
    }
    this.options.onChange();
    return session;
  }

  /** An identity or a session that isn't accepted any more costs the customer nothing but being known. */
  async #createSession(anyone: Record<string, unknown>, identity: Identity): Promise<Session> {
    const url = `${this.options.server}/v1/sessions`;
    const anew = { ...anyone, session_token: null };
    const tries = [{ ...anyone, ...identity }, { ...anew, ...identity }, anew];
    for (const [index, attempt] of tries.entries()) {
      try {
        const response = await send(url, { body: attempt, timeoutMs: TIMEOUT_MS });
        return (await response.json()) as Session;
      } catch (error) {
        const refused = error instanceof Problem && [400, 401, 403, 404, 422].includes(error.status);
        if (!refused || index === tries.length - 1) throw error;
      }
    }
    throw new Problem(0, "", null);
  }

  async #post(action: string, body: unknown): Promise<void> {
    const session = await this.start();
    const url = `${this.options.server}/v1/conversations/${encodeURIComponent(session.conversation_id)}/${action}`;
    await send(url, { body, token: session.session_token, timeoutMs: TIMEOUT_MS });
  }

  /** Resolves once the server has the message (or it was given up); the answer is read on in the background. */
  async #deliver(messageId: string, text: string): Promise<void> {
    const runId = newId();
    try {
      const response = await this.#insist(async () => {
        await this.#untilOnline(messageId);
        const session = await this.start();
        return this.#submit(session, messageId, text, runId);
      });
      this.#mark(messageId, "sent", "");
      void this.#read(response);
      if (!this.#follow) this.follow(true);
    } catch (error) {
      const known = error instanceof Problem && !error.retryable;
      this.#mark(messageId, "failed", known ? error.detail : "");
    }
  }

  /** Try until it works: a few times, once of them with a new session. Rejects with the last `Problem`. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const problem = error instanceof Problem ? error : new Problem(0, "", null);
        if ([401, 403, 404].includes(problem.status) && !renewed) {
          renewed = true;
          await this.refresh().catch(() => undefined);
          continue;
        }
        const waitMs = Math.max(problem.retryAfterMs ?? 0, backoffMs(attempt));
        if (!problem.retryable || attempt + 1 >= ATTEMPTS || waitMs > LONGEST_WAIT_MS) throw problem;
        this.#setBusy(problem.status === 429 || problem.status === 503);
        await pause(waitMs);
        this.#setBusy(false);
      }
    }
  }

  #submit(session: Session, messageId: string, text: string, runId: string): Promise<Response> {
    this.#reading?.abort();
    this.#reading = new AbortController();
    const body = {
      threadId: session.conversation_id,
      runId,
      messages: [{ id: messageId, role: "user", content: text }],
      state: {},
      tools: [],
      context: [],
      forwardedProps: { page: this.options.page() },
    };
    return send(`${this.options.server}/v1/agui`, {
      body,
      token: session.session_token,
      headers: { Accept: "text/event-stream" },
      signal: this.#reading.signal,
    });
  }

  /** A stream that breaks loses nothing: the one that stays open tells the rest. */
  async #read(response: Response): Promise<void> {
    try {
      await readRecords(response, (record) => this.#take(record.id, record.data), QUIET_MS);
    } catch {
      this.#follow?.wake();
    }
  }

  #take(id: string | null, data: string): void {
    try {
      this.#apply(JSON.parse(data) as WireEvent, id && /^\d+$/.test(id) ? Number(id) : null);
    } catch {
      // Not JSON: nothing that we could show.
    }
  }

  #apply(event: WireEvent, seq: number | null): void {
    if (this.options.transcript.apply(event, seq)) this.options.onChange();
  }

  #startFollowing(session: Session): void {
    const conversation = encodeURIComponent(session.conversation_id);
    this.#follow = new Follow({
      url: `${this.options.server}/v1/conversations/${conversation}/events?follow=true`,
      token: () => this.session?.session_token ?? null,
      // Without a number the server tells a running answer from its start.
      lastEventId: session.active_run ? null : session.last_event_id,
      onEvent: (event, seq) => this.#apply(event, seq),
      onState: (live) => {
        if (live) this.#refusals = 0;
        this.options.onChange();
      },
      onRefused: () => {
        this.#follow = null;
        void pause(this.#refusals ? backoffMs(this.#refusals) : 0).then(() => this.refresh().catch(() => undefined));
        this.#refusals++;
      },
    });
  }

  #stopFollowing(): void {
    const follow = this.#follow;
    this.#follow = null;
    // What it had told counts when it is opened again.
    if (follow?.lastEventId && this.session) {
      this.session = { ...this.session, last_event_id: follow.lastEventId, active_run: null };
    }
    follow?.close();
  }

  async #untilOnline(messageId: string): Promise<void> {
    if (navigator.onLine) return;
    this.#mark(messageId, "held", "");
    await new Promise<void>((resolve) => window.addEventListener("online", () => resolve(), { once: true }));
    this.#mark(messageId, "sending", "");
  }

  #mark(messageId: string, delivery: ShownMessage["delivery"], trouble: string): void {
    const message = this.options.transcript.get(messageId);
    if (message) Object.assign(message, { delivery, trouble });
    this.options.onChange();
  }

  #setBusy(busy: boolean): void {
    this.busy = busy;
    this.options.onChange();
  }
}
