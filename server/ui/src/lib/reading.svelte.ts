// A reading: one API path whose answer a page shows. It is read once, and again when the live connection says that it
// is out of date; bursts become one read, and two reads of the same path never overlap.
import { onDestroy } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, get, READ_TIMEOUT_MS } from './api';
import type { Interest, Urgency } from './invalidation';
import { live } from './live.svelte';

/** Events within this time become one read. */
export const SETTLE_MS = 120;
/** The least time from the end of one read to the next while events keep coming. */
export const GAP_MS = 500;
/** The pause before a read that most likely brings nothing new. */
export const LATER_MS = 4_000;
/** After a read that failed, the pause before the next. */
export const RETRY_MS = 2_500;
/** The shortest period of a polled reading (figures that no event announces). */
export const POLL_MIN_MS = 2_000;

/** The index at which each path on the page was read: the footer and the tests use it. */
export const indexes = new SvelteMap<string, number>();

export class Reading<T> {
  data: T | undefined = $state.raw();
  error: string | undefined = $state();
  /** The server says that it is not there, or that there is no such route. */
  absent = $state(false);
  #path: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires, on the clock of the page. */
  #due = Infinity;
  #reading = false;
  #again: Urgency = 'not';
  #ended = new AbortController();
  #took = 0;
  #endedAt = -Infinity;
  #poll: number | undefined;

  constructor(path: string, poll?: number) {
    this.#path = path;
    this.#poll = poll === undefined ? undefined : Math.max(poll, POLL_MIN_MS);
    void this.#read();
  }

  invalidate = (urgency: Urgency) => {
    if (urgency === 'not') return;
    // What comes while a read is under way may or may not be in its answer.
    if (this.#reading) this.#again = this.#again === 'now' ? 'now' : urgency;
    else this.#plan(urgency);
  };

  end() {
    this.#ended.abort();
    clearTimeout(this.#timer);
    indexes.delete(this.#path);
  }

  // A slow answer is a loaded server: the pause grows with the time that the last read took.
  #plan(urgency: Urgency) {
    const since = performance.now() - this.#endedAt;
    if (urgency === 'later') this.#schedule(Math.max(LATER_MS, 10 * this.#took));
    else this.#schedule(Math.max(SETTLE_MS, GAP_MS - since, 2 * this.#took - since));
  }

  // An earlier date stands: events that never cease must not put off the read for ever.
  #schedule(ms: number) {
    const due = performance.now() + ms;
    if (this.#ended.signal.aborted || due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), ms);
  }

  async #read() {
    this.#reading = true;
    this.#due = Infinity;
    const begun = performance.now();
    let failed = false;
    try {
      const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
      const { data, index } = await get<T>(this.#path, signal);
      if (this.#ended.signal.aborted) return;
      this.data = data;
      this.error = undefined;
      this.absent = false;
      // An index never goes back, unless the state behind it is another one: a new cluster, or one restored.
      if (index > 0 && index < (indexes.get(this.#path) ?? 0)) live.restart();
      indexes.set(this.#path, index);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.absent = error instanceof ApiError && error.status === 404;
      this.error = words(error);
      failed = !(error instanceof ApiError) || error.status >= 500;
    }
    this.#endedAt = performance.now();
    this.#took = this.#endedAt - begun;
    this.#reading = false;
    const again = this.#again;
    this.#again = 'not';
    if (again !== 'not') this.#plan(again);
    if (failed) this.#schedule(RETRY_MS);
    else if (this.#poll !== undefined && !this.absent) this.#pollLater(Math.max(this.#poll, 4 * this.#took));
  }

  // A hidden page does not poll; it looks again as soon as it is seen.
  #pollLater(ms: number) {
    if (!document.hidden) return this.#schedule(ms);
    const seen = () => {
      document.removeEventListener('visibilitychange', seen);
      this.#schedule(0);
    };
    document.addEventListener('visibilitychange', seen);
  }
}

function words(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'the server did not answer in time';
  return 'the server cannot be reached';
}

/** A reading for as long as the component lives. */
export function read<T>(path: string, interest: Interest, poll?: number): Reading<T> {
  const reading = new Reading<T>(path, poll);
  const unsubscribe = live.subscribe(interest, reading.invalidate);
  onDestroy(() => {
    unsubscribe();
    reading.end();
  });
  return reading;
}
