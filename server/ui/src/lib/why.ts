// "Why is it not placed", in one line: what the overview and the jobs list show of the server's explanation.
import { millis, plural, seconds, shortId } from './format';
import type { Wait, Why, WhyGroup } from './model';

/** The groups that have something to explain. */
export function stuck(why: Why): WhyGroup[] {
  return (why.Groups ?? []).filter((group) => group.Unplaced > 0);
}

/** The groups that are not as they shall be, for lack of room or because they wait for something else. */
export function explained(why: Why): WhyGroup[] {
  return (why.Groups ?? []).filter((group) => group.Unplaced > 0 || (group.Waits ?? []).length > 0);
}

/** What a group waits for, if it is not room, as a sentence. */
export function waitSentence(job: string, wait: Wait, now: number): string {
  const name = wait.Name?.startsWith(`${job}.`) ? wait.Name.slice(job.length + 1) : (wait.Name ?? '');
  const log = `its log (${shortId(wait.AllocID ?? '')})`;
  const left = ((millis(wait.Until) ?? now) - now) / 1000;
  const when = left <= 0 ? 'due now' : `in ${seconds(left)}`;
  switch (wait.Kind) {
    case 'promotion':
      return 'its canaries are healthy, and the deployment waits to be promoted';
    case 'canaries':
      return `${wait.Healthy} of ${wait.Wanted} canaries healthy: the others come after them`;
    case 'all-at-once':
      return `all instances of the job are placed at once or none, and there is no room for all of ${(wait.Groups ?? []).join(', ')}`;
    case 'paused':
      return 'its deployment is paused';
    case 'rollout':
      return `its deployment goes on: ${wait.Healthy} of ${wait.Wanted} healthy`;
    case 'ended':
      return `${name} ended by itself (${log} says how); a service runs on, and the next one is ${when}`;
    case 'retry':
      return `${name} failed (${log} says why); the next attempt is ${when}`;
    case 'given-up':
      return `${name} failed, and its attempts are used up: ${log} says why, a new version tries again`;
    default:
      return wait.Kind;
  }
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
