/** The conversation as shown: events go in, in any order and more than once; a list of messages comes out. */

import { completeMessage, type Message, type ModeValue, type Session, type WireEvent } from "../wire/types";

export type Delivery = "sent" | "sending" | "held" | "failed";

export interface ShownMessage extends Message {
  /** Where it stands: the log's number of its first event; messages from before this page load are negative. */
  order: number;
  streaming: boolean;
  delivery: Delivery;
  /** Why it wasn't sent, in the server's words. */
  trouble: string;
  helpful: boolean | null;
}

export interface Notice {
  key: string;
  text: string;
  order: number;
  /** What "try again" sends once more, as a new message. */
  again: string | null;
}

export class Transcript {
  mode: ModeValue = { mode: "bot" };
  running = false;
  notices: Notice[] = [];
  rated = false;
  /** Called for each finished message of the bot or of a person that is new here. */
  onArrival: (message: ShownMessage) => void = () => undefined;
  onRunError: () => void = () => undefined;
  #messages = new Map<string, ShownMessage>();
  /** Number and type: a stream without a starting point begins with summaries that borrow the number of a real event. */
  #seen = new Set<string>();
  #floor = 0;
  #newest = 0;
  /** The highest numbers under which a run began and ended. */
  #began = 0;
  #ended = 0;
  #local = 0;

  get messages(): ShownMessage[] {
    return [...this.#messages.values()].sort((a, b) => a.order - b.order);
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0;
  }

  get lastCustomerText(): string | null {
    return this.messages.findLast((message) => message.author === "customer")?.text ?? null;
  }

  get(messageId: string): ShownMessage | undefined {
    return this.#messages.get(messageId);
  }

  /** Start from what the server has; messages that it hasn't got yet stay at the end. */
  reset(session: Session): void {
    const unsent = this.messages.filter((message) => message.delivery !== "sent");
    const helpful = new Map(this.messages.map((message) => [message.message_id, message.helpful]));
    this.#messages.clear();
    this.#seen.clear();
    session.messages.forEach((value, index) => {
      const order = index - session.messages.length;
      const shown = this.#shown(completeMessage(value), order);
      this.#messages.set(shown.message_id, { ...shown, helpful: helpful.get(shown.message_id) ?? null });
    });
    for (const message of unsent) {
      if (!this.#messages.has(message.message_id)) this.#messages.set(message.message_id, message);
    }
    // A running answer is told again from its start, so nothing of it may count as seen.
    const last = Number(session.last_event_id ?? 0) || 0;
    this.#floor = session.active_run ? 0 : last;
    this.#newest = Math.max(this.#newest, last);
    this.#began = Math.min(this.#began, last);
    this.#ended = Math.min(this.#ended, last);
    this.running = session.active_run !== null;
    if (session.mode_value) this.mode = session.mode_value;
    else if (session.mode !== this.mode.mode) this.mode = { mode: session.mode };
  }

  /** Empty, as before anything was said. */
  clear(): void {
    this.#messages.clear();
    this.#seen.clear();
    this.notices = [];
    this.mode = { mode: "bot" };
    this.running = false;
    this.rated = false;
    this.#floor = this.#newest = this.#began = this.#ended = 0;
  }

  /** Show the customer's message before the server has it. */
  addOwn(messageId: string, text: string): ShownMessage {
    const value = completeMessage({ message_id: messageId, author: "customer", text, at: new Date().toISOString() });
    const shown = { ...this.#shown(value, this.#nextLocal()), delivery: "sending" as Delivery };
    this.#messages.set(messageId, shown);
    return shown;
  }

  addNotice(text: string, again: string | null = null): void {
    if (this.notices.at(-1)?.text === text) return;
    const order = this.#nextLocal();
    this.notices = [...this.notices.slice(-4), { key: `notice-${order}`, text, order, again }];
  }

  dropNotice(key: string): void {
    this.notices = this.notices.filter((notice) => notice.key !== key);
  }

  /** Take an event; one that was taken before changes nothing. Returns whether it was new. */
  apply(event: WireEvent, seq: number | null): boolean {
    if (seq !== null) {
      const key = `${seq} ${event.type}`;
      if (seq <= this.#floor || this.#seen.has(key)) return this.#endAgain(event, seq);
      this.#seen.add(key);
      this.#newest = Math.max(this.#newest, seq);
    }
    const order = seq ?? this.#nextLocal();
    switch (event.type) {
      case "RUN_STARTED":
        this.#beginRun(seq);
        break;
      case "RUN_FINISHED":
        this.#endRun(seq);
        break;
      case "RUN_ERROR":
        this.#endRun(seq);
        this.onRunError();
        break;
      case "TEXT_MESSAGE_START":
        this.#open(event.messageId, order, true);
        break;
      case "TEXT_MESSAGE_CONTENT": {
        const message = this.#open(event.messageId, order, false);
        if (message?.streaming) message.text += event.delta ?? "";
        break;
      }
      case "CUSTOM":
        this.#custom(event, order);
        break;
    }
    return true;
  }

  #shown(value: Message, order: number): ShownMessage {
    return { ...value, order, streaming: false, delivery: "sent", trouble: "", helpful: null };
  }

  #nextLocal(): number {
    this.#local = (this.#local + 1) % 100_000;
    return this.#newest + this.#local / 100_000;
  }

  /** The message that is being written; `fresh` throws away what an interrupted attempt had written. */
  #open(messageId: string | undefined, order: number, fresh: boolean): ShownMessage | null {
    if (!messageId) return null;
    const known = this.#messages.get(messageId);
    if (known && (!fresh || !known.streaming)) return known;
    const value = completeMessage({ message_id: messageId, at: new Date().toISOString() });
    const opened = { ...this.#shown(value, known?.order ?? order), streaming: true };
    this.#messages.set(messageId, opened);
    return opened;
  }

  /**
   * A message's stream begins its run under the message's number and the one that stays open under a later one, maybe
   * after the first has told the end: a beginning from before an end that is known begins nothing.
   */
  #beginRun(seq: number | null): void {
    this.running = seq === null || seq > this.#ended;
    this.#began = Math.max(this.#began, seq ?? 0);
  }

  /** An end that is told again ends what was begun without a number since. Returns whether there was anything. */
  #endAgain(event: WireEvent, seq: number): boolean {
    const ends = event.type === "RUN_FINISHED" || event.type === "RUN_ERROR";
    if (!ends || !this.running || seq < this.#began) return false;
    this.#endRun(seq);
    return true;
  }

  #endRun(seq: number | null): void {
    this.running = false;
    this.#ended = Math.max(this.#ended, seq ?? 0);
    for (const message of this.#messages.values()) message.streaming = false;
  }

  #custom(event: WireEvent, order: number): void {
    const value = event.value ?? {};
    switch (event.name) {
      case "helpgraph.message.v1":
        this.#finish(completeMessage(value as unknown as Message), order);
        break;
      case "helpgraph.mode.v1":
        this.mode = value as unknown as ModeValue;
        if (this.mode.mode !== "closed") this.rated = false;
        break;
      case "helpgraph.outcome.v1":
        if (value["outcome"] === "contact_taken") this.mode = { ...this.mode, ask_email: false };
        break;
      case "helpgraph.notice.v1":
        if (typeof value["text"] === "string" && value["text"]) this.addNotice(value["text"]);
        break;
      case "helpgraph.rating.v1":
        this.rated = true;
        break;
      case "helpgraph.feedback.v1": {
        const message = this.#messages.get(String(value["message_id"]));
        if (message && typeof value["helpful"] === "boolean") message.helpful = value["helpful"];
        break;
      }
    }
  }

  #finish(value: Message, order: number): void {
    const known = this.#messages.get(value.message_id);
    const place = known && known.author !== "customer" ? known.order : order;
    const keep = known && known.order < 0 ? known.order : place;
    const shown = { ...this.#shown(value, keep), helpful: known?.helpful ?? null };
    this.#messages.set(value.message_id, shown);
    if (value.author !== "customer" && (!known || known.streaming)) this.onArrival(shown);
  }
}
