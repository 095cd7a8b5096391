// The tail of a task's log, streaming. Lines are shown in batches, kept to a bound, and frozen while paused.
import { inNamespace } from './api';
import { lines } from './ndjson';

/** How many lines are kept; older ones are dropped from the top. */
export const LINES_MAX = 3_000;
/** How much of the past is read when a log is opened, in bytes. */
export const TAIL_BYTES = 64 * 1024;
/** How often new lines are put on the screen. */
export const FLUSH_MS = 80;
/** The pause before a broken stream is opened again. */
export const REOPEN_MS = 2_000;

export type Stream = 'stdout' | 'stderr';
export interface Line {
  n: number;
  text: string;
}

// Colours and cursor movements of terminals, and other control characters, have no meaning here.
const CONTROLS = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007|[\u0000-\u0008\u000b-\u001f\u007f]/g;

export class LogTail {
  lines: Line[] = $state.raw([]);
  state: 'opening' | 'following' | 'ended' | 'failed' = $state('opening');
  error: string | undefined = $state();
  paused = $state(false);
  /** Lines that came while paused. */
  waiting = $state(0);
  #fresh: Line[] = [];
  #count = 0;
  #flush: ReturnType<typeof setTimeout> | undefined;
  #ended = new AbortController();

  constructor(
    readonly allocation: string,
    readonly namespace: string,
    readonly task: string,
    readonly stream: Stream,
    readonly running: () => boolean,
  ) {
    void this.#run();
  }

  pause(paused: boolean) {
    this.paused = paused;
    if (!paused) this.#show();
  }

  end() {
    this.#ended.abort();
    clearTimeout(this.#flush);
  }

  async #run() {
    while (!this.#ended.signal.aborted) {
      await this.#follow().catch((error: unknown) => {
        this.state = 'failed';
        this.error = error instanceof Error ? error.message : String(error);
      });
      if (this.#ended.signal.aborted) return;
      if (!this.running()) {
        if (this.state !== 'failed') this.state = 'ended';
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
  }

  async #follow() {
    const tail = `follow=true&origin=end&offset=${TAIL_BYTES}&plain=true`;
    const query = `task=${encodeURIComponent(this.task)}&type=${this.stream}&${tail}&${inNamespace(this.namespace)}`;
    const response = await fetch(`/v1/client/fs/logs/${this.allocation}?${query}`, { signal: this.#ended.signal });
    if (!response.ok || !response.body) {
      const said = (await response.text()).trim();
      throw new Error(said || `the server answered ${response.status}`);
    }
    this.state = 'following';
    this.error = undefined;
    // What was shown is read again with the tail: a stream that broke must leave neither a gap nor a double line.
    this.#fresh = [];
    let first = true;
    for await (const text of lines(response.body)) {
      if (first) this.lines = [];
      first = false;
      this.#fresh.push({ n: this.#count++, text: text.replace(CONTROLS, '') });
      if (this.paused) this.waiting = this.#fresh.length;
      else this.#flush ??= setTimeout(() => this.#show(), FLUSH_MS);
    }
    this.#show();
  }

  #show() {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    if (this.paused || this.#fresh.length === 0) return;
    this.lines = [...this.lines, ...this.#fresh].slice(-LINES_MAX);
    this.#fresh = [];
    this.waiting = 0;
  }
}
