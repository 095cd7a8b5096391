// "Why is it not placed", in one line: what the overview and the jobs list show of the server's explanation.
import { plural } from './format';
import type { Why, WhyGroup } from './model';

/** The groups that have something to explain. */
export function stuck(why: Why): WhyGroup[] {
  return (why.Groups ?? []).filter((group) => group.Unplaced > 0);
}

/** One line, or undefined where everything is placed. */
export function oneLine(why: Why): string | undefined {
  const groups = stuck(why);
  if (groups.length === 0) return undefined;
  return groups.map(sentence).join('; ');
}

function sentence(group: WhyGroup): string {
  const head = `${group.Group}: ${group.Unplaced} of ${group.Desired} not placed`;
  if (group.NodesTotal === 0) return `${head}, there is no node`;
  const reasons = [...(group.Reasons ?? [])].sort((a, b) => b.Nodes - a.Nodes || a.Reason.localeCompare(b.Reason));
  if (reasons.length === 0) return head;
  const first = reasons.slice(0, 3).map((r) => `${r.Reason} on ${r.Nodes}`);
  return `${head} on ${plural(group.NodesTotal, 'node')} (${first.join(', ')})`;
}
