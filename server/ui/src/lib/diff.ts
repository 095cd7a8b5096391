// What changed between two versions of a job, as lines "path: old -> new". Pure; it compares the documents, so that it
// shows whatever a person changed, also in parts that the UI knows nothing about.

export interface Change {
  path: string;
  kind: 'added' | 'removed' | 'changed';
  before?: string;
  after?: string;
}

/** Fields that the server writes and no person changed. */
export const NOT_THE_PERSONS = new Set([
  'Version',
  'CreateIndex',
  'ModifyIndex',
  'JobModifyIndex',
  'SubmitTime',
  'Status',
  'StatusDescription',
  'Stable',
  'VersionTag',
  'Submission',
]);

export function changes(before: object, after: object): Change[] {
  const [a, b] = [flatten(before), flatten(after)];
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort((x, y) =>
    x.localeCompare(y, undefined, { numeric: true }),
  );
  return paths.flatMap((path): Change[] => {
    const [old, now] = [a.get(path), b.get(path)];
    if (old === now) return [];
    if (old === undefined) return [{ path, kind: 'added', after: now }];
    if (now === undefined) return [{ path, kind: 'removed', before: old }];
    return [{ path, kind: 'changed', before: old, after: now }];
  });
}

/** Every leaf as "path" to text. Empty lists, empty maps and null are the same as absent. */
function flatten(document: object): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (path: string, value: unknown) => {
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      value.forEach((item, i) => walk(`${path}[${nameOf(item) ?? i}]`, item));
    } else if (typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) walk(path === '' ? key : `${path}.${key}`, inner);
    } else {
      leaves.set(path, String(value));
    }
  };
  for (const [key, value] of Object.entries(document)) if (!NOT_THE_PERSONS.has(key)) walk(key, value);
  return leaves;
}

// Groups, tasks and services are found by name, so that a new one in front does not look as if all had changed.
function nameOf(item: unknown): string | undefined {
  const name = (item as { Name?: unknown } | null)?.Name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** A path without the words that only the wire needs: TaskGroups[web].Count is "web › Count". */
export function readable(path: string): string {
  return path
    .replace(/(?:TaskGroups|Tasks|Services|Checks|Networks)\[([^\]]*)\]\.?/g, '$1 › ')
    .replace(/Config\./g, '')
    .replace(/ › $/, '');
}
