/** Server-sent events read from a fetch body: the browser's EventSource can neither POST nor send a bearer token. */

export interface SseRecord {
  id: string | null;
  data: string;
}

/** Splits chunks of text into records. Comments and fields other than `id` and `data` are ignored. */
export class SseParser {
  #rest = "";
  #id: string | null = null;
  #data: string[] = [];

  push(chunk: string): SseRecord[] {
    const records: SseRecord[] = [];
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.#data.length) records.push({ id: this.#id, data: this.#data.join("\n") });
        this.#data = [];
        this.#id = null;
      } else {
        this.#field(line);
      }
    }
    return records;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
  }
}

/**
 * Read records until the stream ends.
 *
 * Each chunk, comments included, restarts the clock; `quietMs` without one ends the reading with an error, since a
 * connection that died without a word looks exactly like a quiet one.
 */
export async function readRecords(
  response: Response,
  onRecord: (record: SseRecord) => void,
  quietMs: number,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const parser = new SseParser();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const quiet = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("the stream went quiet")), quietMs);
      });
      const { done, value } = await Promise.race([reader.read(), quiet]);
      clearTimeout(timer);
      if (done) return;
      parser.push(decoder.decode(value, { stream: true })).forEach(onRecord);
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined);
  }
}
