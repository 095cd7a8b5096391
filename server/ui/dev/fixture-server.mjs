// Plays the HTTP API with the make-believe cluster, and serves dist under /ui/. For developing the UI and its browser
// test without a cluster: `npm run fixture`, then `npm run dev`, or open http://127.0.0.1:4680/ui/.
// PORT chooses the port; POST /fixture/kill/n2 and /fixture/start/n2 play the loss of a node.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cluster } from './fixture-cluster.mjs';
import { capacity, foresee, jobOnNode, nodeAlone, plan, why } from './fixture-explain.mjs';

const port = Number(process.env.PORT ?? 4680);
const noStream = process.env.NO_STREAM === '1';
const dist = join(fileURLToPath(import.meta.url), '..', '..', 'dist');
const cluster = new Cluster();
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const server = createServer((request, response) => {
  handle(request, response).catch((error) => plain(response, 500, String(error)));
});
server.listen(port, '127.0.0.1', () => console.log(`fixture cluster on http://127.0.0.1:${port}/ui/`));

function plain(response, status, text) {
  if (!response.headersSent) response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

function json(response, value, table) {
  const index = cluster.tableIndex[table] ?? 1;
  const hidden = new Set(['ask', 'used', 'fresh', 'total', 'killed', 'drainTotal']);
  response.writeHead(200, {
    'Content-Type': 'application/json',
    ...(table && { 'X-Nomad-Index': index, 'X-Nomad-KnownLeader': 'true', 'X-Nomad-LastContact': '0' }),
  });
  response.end(JSON.stringify(value, (key, v) => (hidden.has(key) ? undefined : v)));
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

/** Waits as a blocking query does: until the table is past the index, or the time is over. */
function block(url, table) {
  const index = Number(url.searchParams.get('index') ?? 0);
  if (!(index > 0) || (cluster.tableIndex[table] ?? 1) > index) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      cluster.listeners.delete(look);
      resolve();
    };
    const look = () => (cluster.tableIndex[table] ?? 1) > index && end();
    const timer = setTimeout(end, (parseInt(url.searchParams.get('wait') ?? '300', 10) || 300) * 1000);
    cluster.listeners.add(look);
  });
}

async function handle(request, response) {
  const url = new URL(request.url, 'http://x');
  const path = url.pathname.split('/').map(decodeURIComponent);
  if (url.pathname === '/') return response.writeHead(307, { Location: '/ui/' }).end();
  if (path[1] === 'ui') return file(url, response);
  if (path[1] === 'fixture') return fixture(path, request, response);
  if (path[1] !== 'v1') return plain(response, 404, 'not found');
  const [, , noun, id, what, last] = path;
  if (request.method !== 'GET') return deed(noun, id, what, last, request, response);
  const found = answer(noun, id, what, last, url, request, response);
  if (found === undefined) return;
  if (found === null) return plain(response, 404, `${noun} not found`);
  await block(url, found.table);
  // Read again: the value after the wait is what was asked for.
  const fresh = answer(noun, id, what, last, url, request, response);
  return fresh ? json(response, fresh.value, fresh.table) : plain(response, 404, 'not found');
}

const of = (table, value) => (value === undefined || value === null ? null : { table, value });

function answer(noun, id, what, last, url, request, response) {
  const allocations = [...cluster.allocations.values()];
  const jobAllocations = allocations.filter((a) => a.JobID === id);
  switch (noun) {
    case 'jobs':
      if (id === 'statuses') return of('any', [...cluster.jobs.values()].map(row));
      return of('jobs', [...cluster.jobs.values()]);
    case 'job': {
      const job = cluster.jobs.get(id);
      if (!job) return null;
      if (!what) return of('jobs', job);
      if (what === 'allocations') return of('allocations', jobAllocations);
      if (what === 'versions') return of('jobs', { Versions: cluster.versions.get(id), Diffs: null });
      if (what === 'deployments')
        return of('deployments', [...cluster.deployments.values()].filter((d) => d.JobID === id).reverse());
      if (what === 'deployment') return of('deployments', cluster.latestDeployment(id));
      if (what === 'evaluations')
        return of('evaluations', [...cluster.evaluations.values()].filter((e) => e.JobID === id).reverse());
      if (what === 'services')
        return of(
          'any',
          cluster.passing().filter((r) => r.JobID === id),
        );
      if (what === 'why') return of('any', why(cluster, job));
      return null;
    }
    case 'allocations':
      return of('allocations', allocations);
    case 'allocation': {
      const a = cluster.allocations.get(id);
      if (!a) return null;
      return of('allocations', { ...a, Job: cluster.versions.get(a.JobID).find((v) => v.Version === a.JobVersion) });
    }
    case 'evaluations': {
      const status = url.searchParams.get('status');
      return of(
        'evaluations',
        [...cluster.evaluations.values()].filter((e) => !status || e.Status === status).reverse(),
      );
    }
    case 'deployments':
      return of('deployments', [...cluster.deployments.values()].reverse());
    case 'capacity':
      return of('any', capacity(cluster));
    case 'nodes':
      if (id === 'usage') return of('any', { Index: cluster.index, Nodes: [...cluster.nodes.values()].map(usage) });
      return of('nodes', [...cluster.nodes.values()]);
    case 'node': {
      const node = cluster.nodes.get(id);
      if (!node) return null;
      if (what === 'allocations')
        return of(
          'allocations',
          allocations.filter((a) => a.NodeID === id),
        );
      if (what === 'drain') return of('any', drainStatus(node));
      if (what === 'why') {
        const job = cluster.jobs.get(url.searchParams.get('job'));
        return of('any', job ? jobOnNode(cluster, node, job) : nodeAlone(cluster, node));
      }
      return of('nodes', node);
    }
    case 'services': {
      const names = new Map(cluster.passing().map((r) => [r.ServiceName, r.Tags]));
      return of('any', [
        { Namespace: 'default', Services: [...names].map(([ServiceName, Tags]) => ({ ServiceName, Tags })) },
      ]);
    }
    case 'service':
      return of(
        'any',
        cluster.passing().filter((r) => r.ServiceName === id),
      );
    case 'rebalance':
      return of('any', { Status: 'none' });
    case 'status':
      return of('', id === 'leader' ? '127.0.0.1:4647' : cluster.servers.map((s) => `${s.address}:4647`));
    case 'agent':
      if (id === 'self')
        return of('', {
          config: { Version: { Version: '0.1.0' }, Region: 'global' },
          member: { Name: 's1.global' },
          stats: {},
        });
      if (id === 'members')
        return of('', {
          ServerName: 's1',
          ServerRegion: 'global',
          ServerDC: 'dc1',
          Members: cluster.servers.map((s) => ({
            Name: `${s.name}.global`,
            Addr: s.address,
            Port: 4648,
            Status: 'alive',
            Tags: { role: 'nomad', region: 'global', dc: 'dc1', build: '0.1.0', id: s.name, port: '4647' },
          })),
        });
      return null;
    case 'operator':
      return of('', {
        Index: 1,
        Servers: cluster.servers.map((s) => ({
          ID: s.name,
          Node: `${s.name}.global`,
          Address: `${s.address}:4647`,
          Leader: s.leader,
          Voter: true,
          RaftProtocol: '3',
        })),
      });
    case 'event':
      if (noStream) return null;
      return void stream(url, request, response);
    case 'client':
      if (id === 'fs' && what === 'logs') return void logs(last, url, request, response);
      if (id === 'allocation') return clientAllocation(what, last);
      return null;
    default:
      return null;
  }
}

function row(job) {
  const d = cluster.latestDeployment(job.ID);
  const mine = [...cluster.allocations.values()].filter((a) => a.JobID === job.ID);
  return {
    ID: job.ID,
    Namespace: job.Namespace,
    Name: job.Name,
    Type: job.Type,
    Priority: job.Priority,
    Version: job.Version,
    Status: job.Status,
    Stop: job.Stop,
    SubmitTime: job.SubmitTime,
    ModifyIndex: job.ModifyIndex,
    NodePool: 'default',
    Datacenters: ['dc1'],
    GroupCountSum: job.TaskGroups.reduce((sum, g) => sum + g.Count, 0),
    Allocs: mine.map((a) => ({
      ID: a.ID,
      Group: a.TaskGroup,
      ClientStatus: a.ClientStatus,
      NodeID: a.NodeID,
      JobVersion: a.JobVersion,
      DeploymentStatus: a.DeploymentStatus,
      FollowupEvalID: '',
    })),
    LatestDeployment: d
      ? {
          ID: d.ID,
          IsActive: d.Status === 'running',
          JobVersion: d.JobVersion,
          Status: d.Status,
          StatusDescription: d.StatusDescription,
        }
      : null,
  };
}

function usage(node) {
  const held = cluster.alive((a) => a.NodeID === node.ID);
  const sum = (f) => Math.round(held.reduce((total, a) => total + f(a), 0));
  return {
    ID: node.ID,
    Name: node.Name,
    Datacenter: node.Datacenter,
    Pool: node.NodePool,
    Status: node.Status,
    Eligibility: node.SchedulingEligibility,
    Drain: node.Drain,
    Total: { ...node.total },
    Reserved: {
      CPU: sum((a) => a.ask.CPU),
      MemoryMB: sum((a) => a.ask.MemoryMB),
      MemoryMaxMB: sum((a) => a.ask.MemoryMB),
    },
    Used: node.Status === 'ready' ? { CPU: sum((a) => a.ask.CPU * 0.2), MemoryMB: sum((a) => a.used) + 180 } : null,
    Allocations: held.map((a) => ({
      ID: a.ID,
      Name: a.Name,
      JobID: a.JobID,
      Namespace: a.Namespace,
      TaskGroup: a.TaskGroup,
      ClientStatus: a.ClientStatus,
      CPU: a.ask.CPU,
      MemoryMB: a.ask.MemoryMB,
      UsedMemoryMB: a.ClientStatus === 'running' ? Math.round(a.used) : null,
      UsedCPU: a.ClientStatus === 'running' ? Math.round(a.ask.CPU * 0.2) : null,
    })),
  };
}

function drainStatus(node) {
  const all = (node.drainTotal ?? []).map((id) => cluster.allocations.get(id));
  const state = (a) => (a.ClientStatus === 'complete' ? 'gone' : a.DesiredStatus === 'stop' ? 'stopping' : 'waiting');
  return {
    NodeID: node.ID,
    Name: node.Name,
    Status: node.Drain ? 'draining' : (node.LastDrain?.Status ?? 'none'),
    Deadline: node.DrainStrategy ? Date.parse(node.DrainStrategy.ForceDeadline) * 1e6 : null,
    Total: all.length,
    Gone: all.filter((a) => state(a) === 'gone').length,
    Allocations: all.map((a) => ({
      ID: a.ID,
      Name: a.Name,
      State: state(a),
      Detail: state(a) === 'waiting' ? 'max_parallel 1' : '',
    })),
  };
}

function clientAllocation(id, what) {
  const a = cluster.allocations.get(id);
  if (!a) return null;
  if (what === 'stats') {
    const use = {
      MemoryStats: {
        RSS: Math.round(a.used * 1048576),
        Usage: Math.round(a.used * 1048576),
        MaxUsage: Math.round(a.used * 1.2 * 1048576),
      },
      CpuStats: { Percent: 4.2, TotalTicks: a.ask.CPU * 0.2 },
    };
    return of('', {
      ResourceUsage: use,
      Tasks: { app: { ResourceUsage: use, Timestamp: Date.now() * 1e6 } },
      Timestamp: Date.now() * 1e6,
    });
  }
  const healthy = a.DeploymentStatus?.Healthy;
  if (cluster.services(a.JobID).length === 0) return of('', {});
  return of('', {
    c1: {
      ID: 'c1',
      Check: 'health',
      Group: `${a.JobID}.${a.TaskGroup}`,
      Service: a.JobID,
      Task: '',
      Mode: 'healthiness',
      Status: healthy ? 'success' : 'pending',
      StatusCode: 200,
      Output: 'HTTP 200: ok',
      Timestamp: Math.floor(Date.now() / 1000),
    },
  });
}

function stream(url, request, response) {
  const from = Number(url.searchParams.get('index') ?? 0);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const write = (batch) => response.write(JSON.stringify(batch) + '\n');
  write({});
  if (from > 0)
    for (const event of cluster.events) if (event.Index >= from) write({ Index: event.Index, Events: [event] });
  cluster.streams.add(write);
  const beat = setInterval(() => response.write('{}\n'), 3000);
  request.on('close', () => {
    clearInterval(beat);
    cluster.streams.delete(write);
  });
}

function logs(id, url, request, response) {
  const log = cluster.logs.get(id);
  if (!log) return plain(response, 404, 'Unknown allocation');
  const type = url.searchParams.get('type') ?? 'stdout';
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  response.write(log[type].join(''));
  log.followers ??= new Set();
  const follow = (stream, line) => stream === type && response.write(line);
  log.followers.add(follow);
  request.on('close', () => log.followers.delete(follow));
}

async function deed(noun, id, what, last, request, response) {
  const sent = await body(request);
  if (noun === 'jobs' && id === 'parse') return plain(response, 400, 'the fixture reads no HCL; give it JSON');
  if (noun === 'jobs') return json(response, { EvalID: cluster.register(sent.Job), Warnings: '' });
  if (noun === 'capacity') return json(response, foresee(cluster, sent));
  if (noun === 'job' && what === 'plan') return json(response, plan(cluster, sent.Job));
  if (noun === 'job') {
    const job = cluster.jobs.get(id);
    if (!job) return plain(response, 404, 'job not found');
    if (request.method === 'DELETE') {
      const evaluation = cluster.register({ ...job, Stop: true });
      if (new URL(request.url, 'http://x').searchParams.get('purge') === 'true') cluster.purge(id);
      return json(response, { EvalID: evaluation });
    }
    if (what === 'revert')
      return json(response, {
        EvalID: cluster.register({
          ...cluster.versions.get(id).find((v) => v.Version === sent.JobVersion),
          Stop: false,
        }),
      });
    if (what === 'evaluate') return json(response, { EvalID: cluster.evaluate(job, 'job-register') });
    return json(response, { EvalID: cluster.register(sent.Job) });
  }
  if (noun === 'node') {
    const node = cluster.nodes.get(id);
    if (what === 'drain') cluster.drain(node, sent.DrainSpec, sent.MarkEligible);
    if (what === 'eligibility') {
      node.SchedulingEligibility = sent.Eligibility;
      cluster.nodeEvent(node, 'NodeEligibility', `Node marked as ${sent.Eligibility}`, 'Cluster');
      cluster.unblock();
    }
    return json(response, { EvalIDs: [] });
  }
  if (noun === 'allocation' && what === 'stop') {
    const a = cluster.allocations.get(id);
    cluster.stop(a, 'stopped by a person');
    return json(response, { EvalID: cluster.evaluate(cluster.jobs.get(a.JobID), 'alloc-stop') });
  }
  if (noun === 'client' && last === 'restart') {
    const a = cluster.allocations.get(what);
    cluster.taskEvent(a, 'Restart Signaled', 'A person asked for a restart');
    a.TaskStates.app.Restarts += 1;
    setTimeout(() => {
      cluster.taskEvent(a, 'Started', 'Task started by the agent');
      cluster.allocationChanged(a);
    }, 600);
    cluster.allocationChanged(a);
    return json(response, {});
  }
  if (noun === 'deployment') {
    const d = cluster.deployments.get(what);
    if (id === 'fail') Object.assign(d, { Status: 'failed', StatusDescription: 'Deployment marked as failed' });
    cluster.deploymentChanged(d);
    return json(response, {});
  }
  return plain(response, 405, 'Invalid method');
}

function fixture([, , verb, name], request, response) {
  if (verb === 'kill') cluster.kill(name);
  else if (verb === 'start') cluster.startNode(name);
  else if (verb === 'cut') server.closeAllConnections();
  else return plain(response, 404, 'no such hook');
  return plain(response, 200, 'ok\n');
}

function file(url, response) {
  const inside = normalize(url.pathname.slice('/ui'.length)).replace(/^(\.\.[/\\])+/, '');
  const path = join(dist, inside);
  const found = extname(path) !== '' && existsSync(path) ? path : join(dist, 'index.html');
  response.writeHead(200, {
    'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream',
    'Content-Security-Policy': "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'",
  });
  createReadStream(found)
    .on('error', () => response.end())
    .pipe(response);
}
