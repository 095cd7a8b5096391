// Addresses: text to route and back, with ids of every kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, section, to } from '../src/lib/route';

test('every page has an address that leads to it', () => {
  for (const page of ['overview', 'jobs', 'nodes', 'capacity', 'services', 'deployments', 'events', 'servers'] as const)
    assert.deepEqual(parse(to[page]()), { page });
});

test('a job survives the way through its address', () => {
  for (const id of ['basket', 'a.b', 'team/web', 'mail@home', 'räum 1', '100%', 'a?b#c'])
    for (const namespace of ['default', 'prod'])
      assert.deepEqual(parse(to.job(id, namespace)), { page: 'job', id, namespace }, id);
});

test('a plan is of no job yet, or of one', () => {
  assert.deepEqual(parse(to.plan()), { page: 'plan', namespace: 'default' });
  assert.deepEqual(parse(to.plan('a.b/c', 'prod')), { page: 'plan', id: 'a.b/c', namespace: 'prod' });
});

test('what people type by hand works', () => {
  assert.deepEqual(parse(''), { page: 'overview' });
  assert.deepEqual(parse('#'), { page: 'overview' });
  assert.deepEqual(parse('#/jobs/'), { page: 'jobs' });
  assert.deepEqual(parse('#/jobs/basket'), { page: 'job', id: 'basket', namespace: 'default' });
  assert.deepEqual(parse('#jobs/basket@prod'), { page: 'job', id: 'basket', namespace: 'prod' });
  assert.deepEqual(parse('#/nodes/abc'), { page: 'node', id: 'abc' });
  assert.deepEqual(parse('#/allocations/abc'), { page: 'allocation', id: 'abc' });
});

test('what leads nowhere says so', () => {
  for (const hash of ['#/nope', '#/services/web', '#/allocations']) assert.equal(parse(hash).page, 'unknown', hash);
  assert.equal(parse('#/jobs/%E0%A4').page, 'job', 'a broken escape does not throw');
});

test('pages of one thing belong to the section of all of them', () => {
  assert.equal(section({ page: 'job', id: 'x', namespace: 'y' }), 'jobs');
  assert.equal(section({ page: 'plan', namespace: 'y' }), 'jobs');
  assert.equal(section({ page: 'allocation', id: 'x' }), 'jobs');
  assert.equal(section({ page: 'node', id: 'x' }), 'nodes');
  assert.equal(section({ page: 'servers' }), 'servers');
});
