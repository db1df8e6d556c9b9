// The state as it comes: server-sent events read by hand, because an EventSource cannot send a key.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;

/** An answer that says no: its problem in words, and the status. */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
  }
}

/** Return what is wrong with an answer, from its problem+json where it has one. */
export async function problemOf(response) {
  try {
    const told = await response.json();
    return new Problem(response.status, told.title || `status ${response.status}`, told.detail || "");
  } catch {
    return new Problem(response.status, `The server answered with status ${response.status}`, "");
  }
}

/** Give the events of a text that comes in pieces, as the HTML standard reads them. */
export class EventReader {
  #rest = "";
  #name = "";
  #data = [];

  /** Take a piece and return the events that it completes, as {name, data}. */
  take(piece) {
    const found = [];
    this.#rest += piece;
    // A carriage return at the end may be half of a line's end.
    const whole = this.#rest.endsWith("\r") ? this.#rest.slice(0, -1) : this.#rest;
    const lines = whole.split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + this.#rest.slice(whole.length);
    for (const line of lines) {
      const event = this.#line(line);
      if (event) found.push(event);
    }
    return found;
  }

  #line(line) {
    if (line === "") {
      const event = this.#data.length ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
      this.#name = "";
      this.#data = [];
      return event;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "event") this.#name = value;
    if (field === "data") this.#data.push(value);
    return null;
  }
}

/**
 * Follow a stream of events for ever: `onEvent(name, data)` for each, `onLost(problem)` when the stream ends.
 * It connects anew after a pause that doubles, but waits for `again()` where the server wants a key.
 */
export class Stream {
  #pause = FIRST_PAUSE;
  #timer = 0;
  #silence = 0;
  #abort = null;

  /** Milliseconds without any byte after which the connection is taken for dead, and made anew. */
  silence = 20000;

  constructor(url, { key, onEvent, onLost }) {
    Object.assign(this, { url, key, onEvent, onLost });
  }

  /** Connect now, whatever was waited for. */
  again() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#connect();
  }

  async #connect() {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      this.#watch(abort);
      const response = await fetch(this.url, {
        headers: { Accept: "text/event-stream", ...bearer(this.key()) },
        cache: "no-store", credentials: "same-origin", signal: abort.signal,
      });
      if (!response.ok) throw await problemOf(response);
      await this.#read(response.body, abort);
      throw new Problem(0, "The server ended the stream", "");
    } catch (error) {
      if (this.#abort === abort) this.#ended(error);
    }
  }

  async #read(body, abort) {
    const events = new EventReader();
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.#abort !== abort) return;
      this.#watch(abort);
      for (const { name, data } of events.take(value)) {
        this.#pause = FIRST_PAUSE;
        this.onEvent(name, data);
      }
    }
  }

  #watch(abort) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => abort.abort(), this.silence);
  }

  #ended(error) {
    clearTimeout(this.#silence);
    this.#abort = null;
    const problem = error instanceof Problem ? error : new Problem(0, "The server cannot be reached", "");
    this.onLost(problem);
    if (problem.status === 401 || problem.status === 403) return;
    // A random part, so that many pages do not come back at the same moment.
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}

/** Return the header that carries a key; none for none. */
export function bearer(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}
