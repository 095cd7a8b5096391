// What changed between two versions of a job.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, readable } from '../src/lib/diff';

const job = (image: string, count: number, rest: object = {}) => ({
  ID: 'web',
  Version: 1,
  ModifyIndex: 9,
  SubmitTime: 1,
  TaskGroups: [{ Name: 'web', Count: count, Tasks: [{ Name: 'app', Config: { image }, Env: {}, ...rest }] }],
});

test('only what a person changed', () => {
  const before = { ...job('basket:1', 3), Version: 0, ModifyIndex: 5, Stable: true };
  assert.deepEqual(changes(before, job('basket:2', 3)), [
    { path: 'TaskGroups[web].Tasks[app].Config.image', kind: 'changed', before: 'basket:1', after: 'basket:2' },
  ]);
  assert.deepEqual(changes(before, job('basket:1', 3)), []);
});

test('added, removed, and nothing for null against empty', () => {
  assert.deepEqual(
    changes(job('a', 1), job('a', 1, { Env: { X: '1' } })).map((c) => [c.kind, c.after]),
    [['added', '1']],
  );
  assert.deepEqual(
    changes(job('a', 1, { Env: { X: '1' } }), job('a', 1)).map((c) => [c.kind, c.before]),
    [['removed', '1']],
  );
  assert.deepEqual(changes({ Datacenters: null }, { Datacenters: [] }), []);
});

test('a new group in front is one new group', () => {
  const group = (Name: string) => ({ Name, Count: 1 });
  const found = changes({ TaskGroups: [group('b')] }, { TaskGroups: [group('a'), group('b')] });
  assert.ok(found.every((c) => c.kind === 'added' && c.path.startsWith('TaskGroups[a]')));
});

test('paths are shortened to what people call things', () => {
  assert.equal(readable('TaskGroups[web].Tasks[app].Config.image'), 'web › app › image');
  assert.equal(readable('TaskGroups[web].Count'), 'web › Count');
  assert.equal(readable('Priority'), 'Priority');
});
