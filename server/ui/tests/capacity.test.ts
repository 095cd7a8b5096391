// The form of the capacity page, what comes of it in words, and scores.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, mib, sentences, whatIf, words } from '../src/lib/capacity';
import { parts, place, signed } from '../src/lib/score';

test('amounts of memory have units', () => {
  const cases: [string, number | undefined][] = [
    ['512', 512],
    ['512m', 512],
    ['2g', 2048],
    ['2 GiB', 2048],
    ['1t', 1048576],
    ['', undefined],
    ['g', undefined],
    ['-1', undefined],
    ['2x', undefined],
  ];
  for (const [text, wanted] of cases) assert.equal(mib(text), wanted, text);
});

test('a form becomes a request, or says what is wrong with it', () => {
  const draft = { ...EMPTY, cpu: '500', memory: '2g', count: '3', addCpu: '8000', addMemory: '16g', remove: ['n3'] };
  const found = whatIf(draft);
  assert.deepEqual(found, {
    request: {
      Ask: { CPU: 500, MemoryMB: 2048, Count: 3 },
      NodesAdded: [{ CPU: 8000, MemoryMB: 16384, Count: 1 }],
      NodesRemoved: ['n3'],
    },
  });
  assert.ok('request' in found);
  assert.equal(
    words(found.request, (node) => `name of ${node}`),
    "sched capacity --what-if 'cpu=500 mem=2048 count=3' --node-add 'cpu=8000 mem=16384 count=1' --node-remove name of n3",
  );
  assert.deepEqual(whatIf({ ...EMPTY, memory: '1g' }), { request: { Ask: { MemoryMB: 1024 } } });
  const more = whatIf({ ...EMPTY, cpu: '1', more: 'disk=1g, device=nvidia/gpu:2 pool=gpu', addMore: 'like=n1' });
  assert.deepEqual(more, {
    request: {
      Ask: { CPU: 1, DiskMB: 1024, Device: 'nvidia/gpu', DeviceCount: 2, NodePool: 'gpu' },
      NodesAdded: [{ Like: 'n1', Count: 1 }],
    },
  });
  assert.deepEqual(whatIf({ ...EMPTY, addMore: 'like=n1 count=3 datacenter=dc2' }), {
    request: { NodesAdded: [{ Like: 'n1', Count: 3, Datacenter: 'dc2' }] },
  });
  assert.ok('request' in more);
  assert.equal(
    words(more.request, String),
    "sched capacity --what-if 'cpu=1 disk=1024 pool=gpu device=nvidia/gpu:2' --node-add 'count=1 like=n1'",
  );
  const wrong = (change: object) => Object.keys(whatIf({ ...EMPTY, ...change }));
  for (const change of [{}, { cpu: 'x' }, { cpu: '1', memory: '2q' }, { cpu: '1', count: 'many' }, { addCpu: '8000' }])
    assert.deepEqual(wrong(change), ['wrong'], JSON.stringify(change));
  for (const change of [{ more: 'disk' }, { more: 'like=n1' }, { cpu: '1', more: 'cpu=2' }, { more: 'device=gpu:x' }])
    assert.deepEqual(wrong(change), ['wrong'], JSON.stringify(change));
});

test('what is foreseen is told, and whether it is good', () => {
  const none = { NodesAdded: [], Moved: [], Ask: null, Room: null };
  assert.deepEqual(sentences(none), [{ text: 'nothing would move, and nobody waits for room', good: true }]);
  const moved = { JobID: 'web', Namespace: 'default', Group: 'api', Displaced: 2, UnplacedBefore: 0, Unplaced: 1 };
  assert.deepEqual(sentences({ ...none, Moved: [moved, { ...moved, Displaced: 0, UnplacedBefore: 1, Unplaced: 0 }] }), [
    { text: 'web, group api: 2 instances must move, 1 would wait for room', good: false },
    { text: 'web, group api: waited for room, all have a place', good: true },
  ]);
  const room = { Instances: 3, IsLimit: false, Nodes: { n1: 3 }, EndsFirst: 'memory' };
  assert.deepEqual(sentences({ ...none, Ask: { Wanted: 4, Placed: 3 }, Room: room }), [
    { text: '3 of 4 instances would be placed', good: false },
    { text: 'room for 3 in all; what ends first: memory', good: true },
  ]);
});

test('the parts of a score that say something, the weightiest first', () => {
  const score = { Total: -0.5, Parts: { affinity: 0.1, packing: -0.6, spread: 0.004 } };
  assert.equal(parts(score), 'packing \u22120.60, affinity 0.10');
  assert.equal(signed(-0.001), '0.00');
  assert.equal(place(2, 3), 'number 2 of 3 that fit');
  assert.equal(place(1, 1), 'the only one that fits');
});
