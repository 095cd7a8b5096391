// What a node is worth to an instance, in words.
import type { Score } from './model';

/** Parts below this say nothing when shown with two digits. */
const LEAST = 0.005;

/** The parts that say something, the weightiest first: "packing −0.42, anti-affinity −0.25". */
export function parts(score: Score): string {
  const said = Object.entries(score.Parts).filter(([, part]) => Math.abs(part) >= LEAST);
  said.sort(([a, one], [b, other]) => Math.abs(other) - Math.abs(one) || a.localeCompare(b));
  return said.map(([name, part]) => `${name} ${signed(part)}`).join(', ');
}

/** Two digits, with a true minus. */
export function signed(value: number): string {
  const text = Math.abs(value) < LEAST ? '0.00' : Math.abs(value).toFixed(2);
  return value <= -LEAST ? `\u2212${text}` : text;
}

/** Where a node stands among those that fit. */
export function place(rank: number, fit: number): string {
  return fit === 1 ? 'the only one that fits' : `number ${rank} of ${fit} that fit`;
}
