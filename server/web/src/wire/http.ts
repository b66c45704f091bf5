/** Requests with kind errors: a problem document becomes a `Problem` that says whether and when to try again. */

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    /** What the server asked for in Retry-After, if anything. */
    readonly retryAfterMs: number | null,
  ) {
    super(`${status} ${detail}`);
  }

  /** 0 is a request that never got an answer. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

function retryAfter(response: Response): number | null {
  const header = response.headers.get("retry-after");
  if (!header) return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

async function problemOf(response: Response): Promise<Problem> {
  let detail = "";
  try {
    const body = (await response.json()) as { detail?: unknown; title?: unknown };
    detail = String(body.detail ?? body.title ?? "");
  } catch {
    // A proxy's error page says nothing that a customer could use.
  }
  return new Problem(response.status, detail.slice(0, 300), retryAfter(response));
}

export interface RequestOptions {
  method?: "GET" | "POST";
  body?: unknown;
  token?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Of the whole answer; streams pass none, they have their own clock. */
  timeoutMs?: number;
  /** The inbox knows its people by a cookie; customers are known by their token alone. */
  withCookie?: boolean;
}

/** Aborts with the first of `signals`; Safari before 17.4 has no `AbortSignal.any`. */
function firstOf(signals: readonly AbortSignal[]): AbortSignal {
  const both = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) both.abort(signal.reason);
    else signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
  }
  return both.signal;
}

/** Send a request; anything but a 2xx answer rejects with a `Problem`. Aborting rejects with the abort's reason. */
export async function send(url: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.token) headers["Authorization"] = `Bearer ${options.token}`;
  const clocks = [options.signal, options.timeoutMs ? AbortSignal.timeout(options.timeoutMs) : undefined];
  const signals = clocks.filter((signal) => signal !== undefined);
  let response: Response;
  try {
    response = await fetch(url, {
      method: options.method ?? (options.body === undefined ? "GET" : "POST"),
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(signals.length ? { signal: firstOf(signals) } : {}),
      cache: "no-store",
      credentials: options.withCookie ? "same-origin" : "omit",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "", null);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Wait, or stop waiting when `signal` fires (then it resolves at once). */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Exponential from half a second to half a minute, with full jitter so that a thousand tabs don't return at once. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(30_000, 500 * 2 ** attempt) + 200;
}

/** 128 random bits; `crypto.randomUUID` is missing on pages without TLS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
