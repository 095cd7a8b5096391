// What `job plan` says, as lines: what a group's instances would go through, the difference, and why something finds no
// node. Pure.
import { plural } from './format';
import type { ChangeType, FieldDiff, JobDiff, Metric, ObjectDiff, Plan, TaskDiff, Updates } from './planned';

/** A line of a difference. */
export interface DiffLine {
  depth: number;
  kind: ChangeType;
  text: string;
}

/** "1 create, 2 in-place update", in the CLI's words. */
export function effects(updates: Updates): string {
  const named: [string, number][] = [
    ['create', updates.Place],
    ['canary', updates.Canary],
    ['in-place update', updates.InPlaceUpdate],
    ['create/destroy update', updates.DestructiveUpdate],
    ['migrate', updates.Migrate],
    ['stop', updates.Stop],
    ['preempt', updates.Preemptions],
    ['ignore', updates.Ignore],
  ];
  const some = named.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  return some.join(', ') || 'nothing';
}

/** Whether running the job would change anything that runs, or the job itself. */
export function changes(plan: Plan): boolean {
  const acts = Object.values(plan.Annotations.DesiredTGUpdates).some(
    (updates) => !['nothing', `${updates.Ignore} ignore`].includes(effects(updates)),
  );
  return acts || Object.keys(plan.FailedTGAllocs).length > 0 || (plan.Diff?.Type ?? 'None') !== 'None';
}

/** The difference, what did not change left out. */
export function diffLines(diff: JobDiff): DiffLine[] {
  const lines: DiffLine[] = [];
  const push = (depth: number, kind: ChangeType, text: string) => lines.push({ depth, kind, text });
  const noted = (text: string, notes: string[] | null | undefined) =>
    notes?.length ? `${text} (${notes.join(', ')})` : text;
  const field = (depth: number, { Type, Name, Old, New, Annotations }: FieldDiff) => {
    const value = Type === 'Edited' ? `"${Old}" → "${New}"` : `"${Type === 'Added' ? New : Old}"`;
    push(depth, Type, noted(`${Name}: ${value}`, Annotations));
  };
  const inside = (depth: number, { Fields, Objects }: Pick<ObjectDiff, 'Fields' | 'Objects'>) => {
    for (const one of changed(Fields)) field(depth, one);
    for (const one of changed(Objects)) {
      push(depth, one.Type, one.Name);
      inside(depth + 1, one);
    }
  };
  const task = (one: TaskDiff) => {
    push(1, one.Type, noted(`task "${one.Name}"`, one.Annotations));
    inside(2, one);
  };
  inside(0, diff);
  for (const group of changed(diff.TaskGroups)) {
    push(0, group.Type, `group "${group.Name}"`);
    inside(1, group);
    for (const one of changed(group.Tasks)) task(one);
  }
  return lines;
}

function changed<T extends { Type: ChangeType }>(all: T[] | null | undefined): T[] {
  return (all ?? []).filter((one) => one.Type !== 'None');
}

/** Why instances of a group found no node: the sum, and each reason with its nodes, the commonest first. */
export function unplaced(metric: Metric): { sum: string; reasons: string[] } {
  const instances = plural(metric.CoalescedFailures + 1, 'instance');
  if (metric.NodesEvaluated === 0) return { sum: `${instances} without a node: no node was eligible`, reasons: [] };
  const { NodesEvaluated, NodesFiltered, NodesExhausted } = metric;
  const full = Object.entries(metric.DimensionExhausted ?? {}).map(
    ([name, nodes]): [string, number] => [name.startsWith('port ') ? `${name} is taken` : `too little ${name}`, nodes],
  );
  const excluded = Object.entries(metric.ConstraintFiltered ?? {}).map(
    ([name, nodes]): [string, number] => [`excluded by ${name}`, nodes],
  );
  const reasons = [...full, ...excluded].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return {
    sum: `${instances} without a node; of ${plural(NodesEvaluated, 'node')} ${NodesFiltered} excluded, ${NodesExhausted} full`,
    reasons: reasons.map(([text, nodes]) => `${plural(nodes, 'node')}: ${text}`),
  };
}
