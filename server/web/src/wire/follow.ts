/** A stream that stays open: it reconnects where it left off until it is closed. */

import { backoffMs, pause, Problem, send } from "./http";
import { readRecords } from "./sse";
import type { WireEvent } from "./types";

export interface FollowOptions {
  url: string;
  token: () => string | null;
  withCookie?: boolean;
  lastEventId: string | null;
  onEvent: (event: WireEvent, seq: number | null) => void;
  onState: (live: boolean) => void;
  /** The server no longer knows us (401, 403, 404), or less than we do (409, after a backup was put back); it has stopped. */
  onRefused: (problem: Problem) => void;
}

const QUIET_MS = 40_000;

export class Follow {
  readonly #abort = new AbortController();
  #wake = new AbortController();
  #lastEventId: string | null;
  #live = false;

  constructor(private readonly options: FollowOptions) {
    this.#lastEventId = options.lastEventId;
    void this.#run();
  }

  get live(): boolean {
    return this.#live;
  }

  get lastEventId(): string | null {
    return this.#lastEventId;
  }

  close(): void {
    this.#abort.abort();
    this.#wake.abort();
    this.#setLive(false);
  }

  /** Try again now, e.g. since the device is online again. */
  wake(): void {
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    let attempt = 0;
    while (!this.#abort.signal.aborted) {
      let waitMs: number | null = null;
      try {
        const response = await this.#open();
        attempt = 0;
        this.#setLive(true);
        await readRecords(response, (record) => this.#take(record.id, record.data), QUIET_MS);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (error instanceof Problem) {
          if ([401, 403, 404, 409].includes(error.status)) {
            this.#setLive(false);
            this.options.onRefused(error);
            return;
          }
          waitMs = error.retryAfterMs;
        }
      }
      this.#setLive(false);
      this.#wake = new AbortController();
      await pause(Math.max(waitMs ?? 0, backoffMs(attempt++)), this.#wake.signal);
    }
  }

  #open(): Promise<Response> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.#lastEventId !== null) headers["Last-Event-ID"] = this.#lastEventId;
    const { url, withCookie = false } = this.options;
    return send(url, { headers, withCookie, token: this.options.token(), signal: this.#abort.signal });
  }

  #take(id: string | null, data: string): void {
    if (this.#abort.signal.aborted) return;
    let event: WireEvent;
    try {
      event = JSON.parse(data) as WireEvent;
    } catch {
      return;
    }
    if (id) this.#lastEventId = id;
    this.options.onEvent(event, id && /^\d+$/.test(id) ? Number(id) : null);
  }

  #setLive(live: boolean): void {
    if (live === this.#live) return;
    this.#live = live;
    this.options.onState(live);
  }
}
