// What a jobs list says: running of desired, what is missing, and the one word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientStatus, JobRow } from '../src/lib/model';
import { allocationFace, blockedJobs, nodeFace, summarise } from '../src/lib/status';

const row = (statuses: ClientStatus[], rest: Partial<JobRow> = {}): JobRow => ({
  ID: 'web',
  Namespace: 'default',
  Name: 'web',
  Type: 'service',
  Priority: 50,
  Version: 0,
  SubmitTime: 0,
  ModifyIndex: 1,
  GroupCountSum: 3,
  Allocs: statuses.map((ClientStatus, i) => ({ ID: `a${i}`, Group: 'web', ClientStatus, NodeID: 'n', JobVersion: 0 })),
  ...rest,
});
const active = { ID: 'd', IsActive: true, JobVersion: 0, Status: 'running' };
const NONE = new Set<string>();
const WEB = new Set(['default/web']);

test('the word for a job', () => {
  const rows: [string, JobRow, Set<string>, string][] = [
    ['all run', row(['running', 'running', 'running']), NONE, 'healthy'],
    ['one starts', row(['running', 'running', 'pending']), NONE, 'starting'],
    ['being rolled out', row(['running', 'pending'], { LatestDeployment: active }), NONE, 'deploying'],
    ['no room, though a deployment is under way', row([], { LatestDeployment: active }), WEB, 'blocked'],
    ['just registered', row([]), NONE, 'pending'],
    ['one was lost and has no successor', row(['running', 'running', 'lost']), NONE, 'degraded'],
    ['one was lost and has one', row(['lost', 'running', 'running', 'running']), NONE, 'healthy'],
    ['everything failed', row(['failed', 'failed', 'failed']), NONE, 'failed'],
    ['a stopped job that still runs', row(['running'], { Stop: true }), NONE, 'stopping'],
    ['a stopped job', row(['complete'], { Stop: true }), NONE, 'stopped'],
    ['a batch job at work', row(['complete', 'running', 'running'], { Type: 'batch' }), NONE, 'running'],
    ['a batch job at its end', row(['complete', 'complete', 'complete'], { Type: 'batch' }), NONE, 'complete'],
  ];
  for (const [about, job, blocked, word] of rows) assert.equal(summarise(job, blocked).face.word, word, about);
});

test('running, desired and missing', () => {
  const figures = (job: JobRow) => {
    const { running, desired, missing, finished } = summarise(job, NONE);
    return { running, desired, missing, finished };
  };
  assert.deepEqual(figures(row(['running', 'pending'])), { running: 1, desired: 3, missing: 1, finished: 0 });
  assert.deepEqual(figures(row(['complete', 'running', 'running', 'running'])), {
    running: 3,
    desired: 3,
    missing: 0,
    finished: 0,
  });
  assert.deepEqual(figures(row(['complete', 'running'], { Type: 'batch' })), {
    running: 1,
    desired: 2,
    missing: 1,
    finished: 1,
  });
  assert.deepEqual(figures(row(['running', 'running'], { Type: 'system', GroupCountSum: 1 })), {
    running: 2,
    desired: 2,
    missing: 0,
    finished: 0,
  });
  assert.deepEqual(figures(row(['running'], { Stop: true })), { running: 1, desired: 0, missing: 0, finished: 0 });
  assert.deepEqual(figures(row([], { Allocs: null })), { running: 0, desired: 3, missing: 3, finished: 0 });
});

test('blocked jobs are told apart by namespace', () => {
  const e = {
    ID: 'e',
    Type: 'service',
    Priority: 50,
    TriggeredBy: '',
    Status: 'blocked',
    CreateIndex: 1,
    ModifyIndex: 1,
    CreateTime: 0,
    ModifyTime: 0,
  };
  assert.deepEqual(
    [
      ...blockedJobs([
        { ...e, JobID: 'web' },
        { ...e, JobID: 'web', Namespace: 'prod' },
      ]),
    ],
    ['default/web', 'prod/web'],
  );
});

test('an allocation looks as it is', () => {
  assert.equal(allocationFace({ ClientStatus: 'running', DesiredStatus: 'run' }).word, 'running');
  assert.equal(allocationFace({ ClientStatus: 'running', DesiredStatus: 'run' }, true).word, 'checking');
  assert.equal(allocationFace({ ClientStatus: 'running', DeploymentStatus: { Healthy: true } }, true).word, 'healthy');
  assert.equal(allocationFace({ ClientStatus: 'running', DeploymentStatus: { Healthy: false } }).word, 'unhealthy');
  assert.equal(
    allocationFace({ ClientStatus: 'running', DesiredStatus: 'stop', DeploymentStatus: { Healthy: true } }).word,
    'stopping',
  );
});

test('no two states share both colour and shape', () => {
  const faces = (['pending', 'running', 'complete', 'failed', 'lost'] as ClientStatus[]).map((ClientStatus) =>
    allocationFace({ ClientStatus }),
  );
  assert.equal(new Set(faces.map((f) => f.glyph)).size, faces.length);
});

test('a node shows the worst that is true of it', () => {
  assert.equal(nodeFace('down', 'ineligible', true).word, 'down');
  assert.equal(nodeFace('ready', 'ineligible', true).word, 'draining');
  assert.equal(nodeFace('ready', 'ineligible', false).word, 'ineligible');
  assert.equal(nodeFace('ready', 'eligible', false).word, 'ready');
  assert.equal(nodeFace('suspect', 'eligible', false).word, 'suspect');
});
