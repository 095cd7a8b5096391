// What `job plan` says, as lines; and what a job waits for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDocument } from '../src/lib/api';
import { changes, diffLines, effects, unplaced } from '../src/lib/plan';
import type { Why } from '../src/lib/model';
import type { JobDiff, Metric, Plan, Updates } from '../src/lib/planned';
import { explained, waitSentence } from '../src/lib/why';

const NONE: Updates = {
  Ignore: 0,
  Place: 0,
  Migrate: 0,
  Stop: 0,
  InPlaceUpdate: 0,
  DestructiveUpdate: 0,
  Canary: 0,
  Preemptions: 0,
};

test('what would happen to a group is said in the words of the CLI', () => {
  assert.equal(effects(NONE), 'nothing');
  assert.equal(effects({ ...NONE, Place: 2, Ignore: 3 }), '2 create, 3 ignore');
  assert.equal(effects({ ...NONE, DestructiveUpdate: 1, Stop: 1 }), '1 create/destroy update, 1 stop');
});

test('a plan changes something if anything acts, is missing or differs', () => {
  const plan: Plan = {
    Annotations: { DesiredTGUpdates: { web: { ...NONE, Ignore: 3 }, api: NONE } },
    FailedTGAllocs: {},
    JobModifyIndex: 7,
    Diff: { Type: 'None', ID: 'web' },
    Warnings: '',
    Placements: [],
    Preemptions: [],
  };
  assert.equal(changes(plan), false);
  assert.equal(changes({ ...plan, Diff: { Type: 'Edited', ID: 'web' } }), true);
  const migrates = { DesiredTGUpdates: { web: { ...NONE, Migrate: 1, Ignore: 2 } } };
  assert.equal(changes({ ...plan, Annotations: migrates }), true);
  const metric = { NodesEvaluated: 1, NodesFiltered: 1, NodesExhausted: 0, CoalescedFailures: 0 };
  assert.equal(changes({ ...plan, FailedTGAllocs: { web: metric } }), true);
});

test('a difference reads from job to field, without what did not change', () => {
  const diff: JobDiff = {
    Type: 'Edited',
    ID: 'web',
    Fields: [{ Type: 'None', Name: 'Priority', Old: '50', New: '50' }],
    TaskGroups: [
      {
        Type: 'Edited',
        Name: 'web',
        Fields: [{ Type: 'Edited', Name: 'Count', Old: '3', New: '5', Annotations: ['forces create'] }],
        Tasks: [
          {
            Type: 'Edited',
            Name: 'app',
            Annotations: ['forces create/destroy update'],
            Objects: [{ Type: 'Added', Name: 'Env', Fields: [{ Type: 'Added', Name: 'A', Old: '', New: '1' }] }],
          },
        ],
      },
      { Type: 'Deleted', Name: 'old' },
      { Type: 'None', Name: 'same' },
    ],
  };
  assert.deepEqual(
    diffLines(diff).map(({ depth, kind, text }) => `${depth} ${kind} ${text}`),
    [
      '0 Edited group "web"',
      '1 Edited Count: "3" → "5" (forces create)',
      '1 Edited task "app" (forces create/destroy update)',
      '2 Added Env',
      '3 Added A: "1"',
      '0 Deleted group "old"',
    ],
  );
});

test('what finds no node is told with its reasons, the commonest first', () => {
  const metric: Metric = {
    NodesEvaluated: 5,
    NodesFiltered: 1,
    NodesExhausted: 4,
    CoalescedFailures: 2,
    DimensionExhausted: { 'port 8082': 2, memory: 4 },
    ConstraintFiltered: { '${attr.kernel.name} = linux': 1 },
  };
  const { sum, reasons } = unplaced(metric);
  assert.equal(sum, '3 instances without a node; of 5 nodes 1 excluded, 4 full');
  assert.deepEqual(reasons, [
    '4 nodes: too little memory',
    '2 nodes: port 8082 is taken',
    '1 node: excluded by ${attr.kernel.name} = linux',
  ]);
  assert.match(unplaced({ ...metric, NodesEvaluated: 0 }).sum, /no node was eligible/);
});

test('a jobspec is a document if it begins as one', () => {
  assert.equal(isDocument('\n  { "Job": {} }'), true);
  assert.equal(isDocument('job "web" {}'), false);
});

test('what a group waits for is a sentence', () => {
  const now = 1_000_000;
  const at = (milliseconds: number) => (now + milliseconds) * 1e6;
  const failed = { Kind: 'retry', AllocID: '0123456789', Name: 'web.api[1]', Until: at(30_000) } as const;
  assert.equal(
    waitSentence('web', failed, now),
    'api[1] failed (its log (01234567) says why); the next attempt is in 30 s',
  );
  assert.match(waitSentence('web', { ...failed, Until: at(-1) }, now), /due now$/);
  assert.equal(
    waitSentence('web', { Kind: 'canaries', Healthy: 1, Wanted: 2 }, now),
    '1 of 2 canaries healthy: the others come after them',
  );
  const group = { Unplaced: 0, Waits: [failed] };
  const why = { Groups: [group, { Unplaced: 0 }, { Unplaced: 1 }] } as unknown as Why;
  assert.equal(explained(why).length, 2);
});
