// From events to what is read again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf, reduce, touches } from '../src/lib/invalidation';
import type { StreamEvent } from '../src/lib/model';

const event = (Topic: string, Key: string, rest: Partial<StreamEvent> = {}): StreamEvent => ({
  Topic,
  Key,
  Type: 'X',
  Index: 1,
  ...rest,
});

test('an event names itself, its filter keys, and what its payload names', () => {
  const e = event('Allocation', 'a1', {
    FilterKeys: ['web', ''],
    Payload: { Allocation: { ID: 'a1', JobID: 'web', NodeID: 'n1', CreateIndex: 5 } },
  });
  assert.deepEqual(keysOf(e).sort(), ['a1', 'n1', 'web']);
  assert.deepEqual(keysOf(event('Node', 'n1', { FilterKeys: null, Payload: null })), ['n1']);
});

test('a batch is one invalidation, topic by topic', () => {
  const touched = reduce([event('Node', 'n1'), event('Job', 'web'), event('Node', 'n2')]);
  assert.ok(touched !== 'everything');
  assert.deepEqual(
    [...touched].map(([topic, keys]) => [topic, [...keys]]),
    [
      ['Node', ['n1', 'n2']],
      ['Job', ['web']],
    ],
  );
});

test('a reading is touched by its topics, and by its key if it has one', () => {
  const touched = reduce([event('Allocation', 'a1', { FilterKeys: ['web'] })]);
  assert.equal(touches(touched, { topics: ['Allocation'] }), 'now');
  assert.equal(touches(touched, { topics: ['Allocation'], key: 'web' }), 'now');
  assert.equal(touches(touched, { topics: ['Allocation'], key: 'a1' }), 'now');
  assert.equal(touches(touched, { topics: ['Allocation'], key: 'other' }), 'later');
  assert.equal(touches(touched, { topics: ['Node'] }), 'not');
  assert.equal(touches(touched, { topics: [] }), 'not');
});

test('keys of one topic do not count for another', () => {
  const touched = reduce([event('Job', 'web'), event('Allocation', 'a1')]);
  assert.equal(touches(touched, { topics: ['Allocation'], key: 'web' }), 'later');
  assert.equal(touches(touched, { topics: ['Allocation', 'Job'], key: 'web' }), 'now');
});

test('after a gap in the stream everything is read again', () => {
  assert.equal(touches('everything', { topics: [] }), 'now');
  assert.equal(touches(reduce([]), { topics: ['Job'] }), 'not');
});
