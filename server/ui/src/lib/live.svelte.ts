// The one connection that keeps every page current: the event stream. What it brings is reduced to invalidations;
// readings subscribe and read again what was touched. Where a server has no stream, blocking queries take its place.
import { get, READ_TIMEOUT_MS } from './api';
import { reduce, touches, type Interest, type Invalidation, type Urgency } from './invalidation';
import type { StreamEvent } from './model';
import { lines } from './ndjson';

/** Silence after which the stream counts as dead. The server beats at least every 4 s. */
export const STREAM_SILENCE_MAX_MS = 12_000;
/** The first pause before a new attempt, and the longest. */
export const RECONNECT_DELAY_MS = 400;
export const RECONNECT_DELAY_MAX_MS = 8_000;
/** The least time between two rounds of one blocking query. */
export const BLOCKING_GAP_MS = 2_000;
/** How long blocking queries serve before the stream is asked for again: a server may learn it by an upgrade. */
export const STREAM_RETRY_MS = 60_000;
/** A hidden page gives its connection back after this time: browsers allow six per host over all tabs. */
export const HIDDEN_GRACE_MS = 60_000;
/** How many recent events are kept for the feeds. */
export const RECENT_EVENTS_MAX = 200;

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'paused';
interface Subscriber {
  interest: Interest;
  invalidate: (urgency: Urgency) => void;
}

class Live {
  state: LiveState = $state('connecting');
  /** The index of the newest event seen. */
  index = $state(0);
  /** Newest first. */
  recent: StreamEvent[] = $state.raw([]);
  /** When the last byte came, in milliseconds since 1970. */
  heardAt = $state(Date.now());
  #subscribers = new Set<Subscriber>();
  #connection: AbortController | undefined;
  /** Whether to ask for past events. A server that cannot go back that far may refuse. */
  #replay = true;
  #paused = false;
  #wake: (() => void) | undefined;

  start() {
    let timer: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => this.#pause(), HIDDEN_GRACE_MS);
      else this.#resume();
    });
    addEventListener('online', () => this.#wake?.());
    void this.#run();
  }

  subscribe(interest: Interest, invalidate: (urgency: Urgency) => void): () => void {
    const subscriber = { interest, invalidate };
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  publish(invalidation: Invalidation) {
    for (const { interest, invalidate } of this.#subscribers) invalidate(touches(invalidation, interest));
  }

  /** Begins anew: the cluster's index has gone back, so that resuming would wait for events that are long past. */
  restart() {
    if (this.index === 0) return;
    this.index = 0;
    this.recent = [];
    this.#connection?.abort();
  }

  #pause() {
    this.#paused = true;
    this.state = 'paused';
    this.#connection?.abort();
  }

  #resume() {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wake?.();
  }

  async #run() {
    let delay = RECONNECT_DELAY_MS;
    for (;;) {
      if (this.#paused) await this.#sleep(Infinity);
      this.#connection = new AbortController();
      const opened = await this.#follow(this.#connection).catch(() => 'lost' as const);
      if (opened === 'absent') {
        this.state = 'polling';
        await this.#block(AbortSignal.any([this.#connection.signal, AbortSignal.timeout(STREAM_RETRY_MS)]));
      }
      if (this.#paused) continue;
      if (opened !== 'absent') this.state = 'reconnecting';
      if (opened === 'ended') delay = RECONNECT_DELAY_MS;
      await this.#sleep(delay * (0.75 + Math.random() / 2));
      delay = Math.min(delay * 2, RECONNECT_DELAY_MAX_MS);
    }
  }

  /** Follows the stream until it ends. "absent": this server has none. */
  async #follow(connection: AbortController): Promise<'absent' | 'ended' | 'lost'> {
    const silence = this.#silence(connection);
    let heard = false;
    try {
      const from = this.#replay ? `&index=${this.index + 1}` : '';
      const response = await fetch(`/v1/event/stream?topic=*&namespace=*${from}`, { signal: connection.signal });
      if (response.status === 404 || response.status === 501) return 'absent';
      if (response.status >= 400 && response.status < 500) this.#replay = !this.#replay;
      if (!response.ok || !response.body) return 'lost';
      for await (const line of lines(response.body)) {
        silence.reset();
        if (!heard) {
          heard = true;
          this.state = 'live';
          // Events between the last connection and this one may be gone from the server's buffer.
          this.publish('everything');
        }
        this.#take(line);
      }
      return heard ? 'ended' : 'lost';
    } catch {
      return heard ? 'ended' : 'lost';
    } finally {
      silence.end();
    }
  }

  #silence(connection: AbortController) {
    let timer = setTimeout(() => connection.abort(), STREAM_SILENCE_MAX_MS);
    return {
      reset: () => {
        this.heardAt = Date.now();
        clearTimeout(timer);
        timer = setTimeout(() => connection.abort(), STREAM_SILENCE_MAX_MS);
      },
      end: () => clearTimeout(timer),
    };
  }

  #take(line: string) {
    if (line === '' || line === '{}') return;
    const batch = JSON.parse(line) as { Index?: number; Events?: StreamEvent[] | null };
    const events = batch.Events ?? [];
    if (batch.Index !== undefined && batch.Index > this.index) this.index = batch.Index;
    if (events.length === 0) return;
    this.recent = [...[...events].reverse(), ...this.recent].slice(0, RECENT_EVENTS_MAX);
    this.publish(reduce(events));
  }

  /** Three blocking queries between which every change passes; any change makes everything on the page read again. */
  async #block(signal: AbortSignal) {
    await Promise.all(
      ['/v1/allocations', '/v1/evaluations', '/v1/nodes'].map(async (path) => {
        let index = 0;
        while (!signal.aborted) {
          const begun = Date.now();
          const wait = AbortSignal.any([signal, AbortSignal.timeout(30_000 + READ_TIMEOUT_MS)]);
          const read = await get(`${path}?namespace=*&index=${index}&wait=30s`, wait).catch(() => undefined);
          if (signal.aborted) return;
          this.state = read ? 'polling' : this.#paused ? 'paused' : 'reconnecting';
          if (read && read.index !== index) this.publish('everything');
          index = read?.index ?? 0;
          await this.#sleep(Math.max(0, BLOCKING_GAP_MS - (Date.now() - begun)));
        }
      }),
    );
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export const live = new Live();
