// Numbers, times and ids as people read them. Pure; "now" is a parameter, in milliseconds since 1970.

/** The first eight characters: what people read and type. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** A count with thin groups of three: 12 345. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** MiB as MiB below one GiB, as GiB above. */
export function memory(mb: number | null | undefined): string {
  if (mb == null || !Number.isFinite(mb)) return '–';
  if (Math.abs(mb) < 1024) return `${Math.round(mb)} MiB`;
  if (Math.abs(mb) < 1024 * 1024) return `${trim(mb / 1024)} GiB`;
  return `${trim(mb / 1024 / 1024)} TiB`;
}

/** MHz as MHz below 10 GHz, as GHz above. */
export function cpu(mhz: number | null | undefined): string {
  if (mhz == null || !Number.isFinite(mhz)) return '–';
  return mhz < 10_000 ? `${Math.round(mhz)} MHz` : `${trim(mhz / 1000)} GHz`;
}

function trim(n: number): string {
  return n >= 100 ? Math.round(n).toString() : n.toFixed(1);
}

/** A share of a whole as a whole percentage; a dash where there is no whole. */
export function percent(part: number | null | undefined, whole: number): string {
  if (part == null || !(whole > 0)) return '–';
  const share = (part / whole) * 100;
  return share > 0 && share < 1 ? '<1 %' : `${Math.round(share)} %`;
}

/** Seconds as the largest two units: 45 s, 3 m 20 s, 2 h 5 m, 4 d 3 h. */
export function seconds(total: number): string {
  const s = Math.max(0, Math.floor(total));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), 'm', s % 60, 's');
  if (s < 86_400) return pair(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'm');
  return pair(Math.floor(s / 86_400), 'd', Math.floor((s % 86_400) / 3600), 'h');
}

function pair(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

/** Milliseconds since 1970 of what the API sends: nanoseconds, a date in text, or nothing. */
export function millis(time: number | string | null | undefined): number | undefined {
  if (time == null || time === 0 || time === '') return undefined;
  const ms = typeof time === 'number' ? time / 1e6 : Date.parse(time);
  // Go's zero time is the year 1, which means "not yet".
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** How long ago, in words: one unit, so that a page of them stands still. */
export function ago(time: number | string | null | undefined, now: number): string {
  const ms = millis(time);
  if (ms === undefined) return '–';
  const s = (now - ms) / 1000;
  if (s < 1) return 'now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} m ago`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}

/** The time of day, 24 h, local. */
export function timeOfDay(time: number | string | null | undefined): string {
  const ms = millis(time);
  if (ms === undefined) return '–';
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => n.toString().padStart(2, '0')).join(':');
}

/** Date and time, local, sortable. */
export function dateTime(time: number | string | null | undefined): string {
  const ms = millis(time);
  if (ms === undefined) return '–';
  const at = new Date(ms);
  const two = (n: number) => n.toString().padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeOfDay(time)}`;
}

/** A command as it has to be typed: one that concerns another namespace than the default says so. */
export function command(text: string, namespace: string): string {
  return namespace === 'default' ? text : `SCHED_NAMESPACE=${namespace} ${text}`;
}

/** A plural that is right: 1 node, 2 nodes. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}
