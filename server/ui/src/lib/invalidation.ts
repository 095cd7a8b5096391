// From events to what must be read again. Pure: events in, a set of touched things out; what a page shows says which
// things it depends on (its interest).
import type { StreamEvent } from './model';

/** What a reading depends on: any of the topics, and if a key is given only events that name it. */
export interface Interest {
  topics: string[];
  key?: string;
}

/** Topic to the ids that its events named. "everything" is used after a gap in the stream. */
export type Invalidation = Map<string, Set<string>> | 'everything';

const PAYLOAD_KEYS = ['ID', 'JobID', 'NodeID', 'DeploymentID', 'AllocID', 'ServiceName', 'Name'];

/** The ids that an event concerns: its key, its filter keys, and those that its payload names. */
export function keysOf(event: StreamEvent): string[] {
  const keys = new Set([event.Key, ...(event.FilterKeys ?? [])]);
  for (const body of Object.values(event.Payload ?? {})) {
    if (typeof body !== 'object' || body === null) continue;
    for (const name of PAYLOAD_KEYS) {
      const value = (body as Record<string, unknown>)[name];
      if (typeof value === 'string') keys.add(value);
    }
  }
  keys.delete('');
  return [...keys];
}

/** What a batch of events touches. */
export function reduce(events: StreamEvent[]): Invalidation {
  const touched = new Map<string, Set<string>>();
  for (const event of events) {
    const keys = touched.get(event.Topic) ?? new Set<string>();
    for (const key of keysOf(event)) keys.add(key);
    touched.set(event.Topic, keys);
  }
  return touched;
}

/** How urgently a reading is out of date. */
export type Urgency = 'now' | 'later' | 'not';

/**
 * How a reading with that interest is touched. Events of its topics that name other things matter "later": the answer is
 * most likely the same, but its index moves on, and a server that names too few keys must not leave a page behind.
 */
export function touches(invalidation: Invalidation, interest: Interest): Urgency {
  if (invalidation === 'everything') return 'now';
  let urgency: Urgency = 'not';
  for (const topic of interest.topics) {
    const keys = invalidation.get(topic);
    if (keys === undefined) continue;
    if (interest.key === undefined || keys.has(interest.key)) return 'now';
    urgency = 'later';
  }
  return urgency;
}
