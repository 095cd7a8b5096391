// The placement map's arithmetic: a node's memory as a few rows, filled by allocations one after the other like text,
// so that areas are true to the reserved memory and free room is the blank at the end. Pure.

export interface Segment {
  id: string;
  row: number;
  /** Left edge and width as shares of a row, 0 to 1. */
  from: number;
  width: number;
  /** Whether it is the first or the last piece of its allocation: only these have closed edges. */
  first: boolean;
  last: boolean;
}

/** Differences below this share of a row are rounding, not memory. */
const EPSILON = 1e-9;

export function strip(items: { id: string; size: number }[], total: number, rows: number): Segment[] {
  const perRow = total / rows;
  const segments: Segment[] = [];
  let at = 0;
  for (const { id, size } of items) {
    let left = Math.min(Math.max(size, 0), Math.max(0, total - at)) / perRow;
    let first = true;
    while (left > EPSILON) {
      const position = at / perRow;
      let row = Math.floor(position + EPSILON);
      const from = Math.max(0, position - row);
      if (row >= rows) break;
      const width = Math.min(left, 1 - from);
      left -= width;
      segments.push({ id, row, from, width, first, last: left <= EPSILON });
      first = false;
      at += width * perRow;
    }
  }
  return segments;
}

/** A stable hue for a job: the same on every page, on every reload. */
const HUES = [214, 158, 268, 28, 190, 334, 96, 48, 242, 8];

export function hue(job: string): number {
  let hash = 2166136261;
  for (const char of job) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619) >>> 0;
  return HUES[hash % HUES.length] ?? 214;
}
