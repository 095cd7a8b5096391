// Events and explanations as sentences.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamEvent, Why } from '../src/lib/model';
import { sentence } from '../src/lib/sentence';
import { oneLine } from '../src/lib/why';

const event = (Topic: string, Type: string, body: object): StreamEvent => ({
  Topic,
  Type,
  Key: 'key-0123456',
  Index: 1,
  Payload: { [Topic]: body } as Record<string, unknown>,
});

test('events read as sentences', () => {
  const rows: [StreamEvent, string][] = [
    [
      event('Allocation', 'AllocationUpdated', { Name: 'web.web[2]', ClientStatus: 'running', NodeName: 'n3' }),
      'web.web[2] is running on n3',
    ],
    [
      event('Allocation', 'AllocationUpdated', {
        Name: 'w',
        ClientStatus: 'running',
        DeploymentStatus: { Healthy: true },
      }),
      'w is healthy',
    ],
    [
      event('Allocation', 'AllocationUpdateDesiredStatus', {
        Name: 'w',
        ClientStatus: 'running',
        DesiredStatus: 'stop',
      }),
      'w shall stop',
    ],
    [event('Allocation', 'AllocationUpdated', { Name: 'w', ClientStatus: 'lost', NodeName: 'n2' }), 'w is lost on n2'],
    [event('Job', 'JobRegistered', { ID: 'web', Version: 3 }), 'web version 3 was registered'],
    [event('Job', 'JobRegistered', { ID: 'web', Version: 3, Stop: true }), 'web was stopped'],
    [event('Node', 'NodeStreamEvent', { Name: 'n2', Status: 'down' }), 'node n2 is down'],
    [event('Node', 'NodeDrain', { Name: 'n2', Status: 'ready', DrainStrategy: {} }), 'node n2 drains'],
    [event('Node', 'NodeDrain', { Name: 'n2', Status: 'ready', DrainStrategy: null }), 'node n2 no longer drains'],
    [
      event('Deployment', 'DeploymentStatusUpdate', { JobID: 'web', JobVersion: 2, Status: 'running' }),
      'deployment of web v2 is in progress',
    ],
    [
      event('Evaluation', 'EvaluationUpdated', { JobID: 'web', TriggeredBy: 'node-update', Status: 'blocked' }),
      'evaluation of web (node-update) is blocked',
    ],
    [
      event('Service', 'ServiceDeregistration', { ServiceName: 'web', Address: '10.0.0.1', Port: 80 }),
      'service web at 10.0.0.1:80 left the catalog',
    ],
    [event('Unheard', 'Of', {}), 'Of key-0123'],
  ];
  for (const [e, text] of rows) assert.equal(sentence(e).text, text);
});

test('an event without a payload still reads', () => {
  assert.equal(
    sentence({ Topic: 'Job', Type: 'JobDeregistered', Key: 'web', Index: 1, Payload: null }).text,
    'web was stopped',
  );
});

const group = {
  Group: 'web',
  Desired: 3,
  Running: 2,
  Unplaced: 1,
  BlockedEval: null,
  BlockedSince: null,
  Ask: { CPU: 1, MemoryMB: 1 },
  NodesTotal: 3,
  NodesFiltered: 0,
  NodesExhausted: 3,
  NodesFit: 0,
  Reasons: [
    { Reason: 'cpu', Nodes: 1, Filter: false },
    { Reason: 'memory', Nodes: 3, Filter: false },
  ],
  Nodes: [],
  Hints: [],
};
const why = (...groups: object[]) =>
  ({ JobID: 'web', Namespace: 'default', JobVersion: 0, Index: 1, Groups: groups }) as Why;

test('why something is not placed, in one line, the most frequent reason first', () => {
  assert.equal(oneLine(why(group)), 'web: 1 of 3 not placed on 3 nodes (memory on 3, cpu on 1)');
  assert.equal(oneLine(why({ ...group, NodesTotal: 0, Reasons: [] })), 'web: 1 of 3 not placed, there is no node');
  assert.equal(oneLine(why({ ...group, Unplaced: 0 })), undefined);
});
