#!/usr/bin/env node
// Stands in for the command line in the browser test against the fixture cluster: `job run FILE` and `job stop ID`.
// It reads only the job's name and count from the file.
import { readFileSync } from 'node:fs';

const base = process.env.SCHED_ADDR ?? 'http://127.0.0.1:4680';
const args = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const [noun, verb, subject] = args;

async function call(method, path, body) {
  const response = await fetch(base + path, { method, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

if (noun === 'job' && verb === 'run') {
  const text = readFileSync(subject, 'utf8');
  const id = /^job\s+"([^"]+)"/m.exec(text)?.[1] ?? 'basket';
  const count = Number(/^\s*count\s*=\s*(\d+)/m.exec(text)?.[1] ?? 3);
  const task = { Name: 'app', Driver: 'docker', Config: { image: 'basket:1' }, Resources: { CPU: 200, MemoryMB: 256 } };
  const group = {
    Name: 'web',
    Count: count,
    Tasks: [task],
    Services: [
      { Name: id, PortLabel: 'http', Tags: ['v1'], Checks: [{ Name: 'health', Type: 'http', Path: '/health' }] },
    ],
  };
  const job = {
    ID: id,
    Name: id,
    Namespace: 'default',
    Type: 'service',
    Priority: 50,
    Datacenters: ['dc1'],
    TaskGroups: [group],
  };
  await call('PUT', '/v1/jobs', { Job: job });
  let deployment;
  do deployment = await call('GET', `/v1/job/${id}/deployment?index=${deployment?.ModifyIndex ?? 0}&wait=5s`);
  while (deployment.Status === 'running');
  console.log(`deployment ${deployment.Status}`);
  process.exit(deployment.Status === 'successful' ? 0 : 1);
} else if (noun === 'job' && verb === 'stop') {
  await call('DELETE', `/v1/job/${subject}?purge=${process.argv.includes('-purge')}`);
} else {
  console.error('usage: fixture-sched.mjs job run FILE | job stop [-purge] ID');
  process.exit(1);
}
