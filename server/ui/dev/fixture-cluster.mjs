// A make-believe cluster for developing the UI: three servers, three nodes, a few jobs, and enough of a scheduler that
// jobs start, turn healthy, move when a node dies, and block when nothing fits. It proves nothing about the real one.
import { createHash, randomUUID } from 'node:crypto';

const NS = 1_000_000;
const now = () => Date.now() * NS;
const uuid = (text) => {
  const h = createHash('sha256').update(text).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-8${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
};

/** How fast things happen, in milliseconds. */
const START_MS = 700;
const HEALTHY_MS = 1_600;
const DOWN_MS = 2_500;
const STOP_MS = 900;

const service = (id, count, memory, cpu, tags = ['http']) =>
  job(id, 'service', [
    group('web', count, memory, cpu, 'docker', [
      { Name: id, PortLabel: 'http', Tags: tags, Checks: [{ Name: 'health', Type: 'http', Path: '/health' }] },
    ]),
  ]);

function group(name, count, memory, cpu, driver = 'docker', services = []) {
  return {
    Name: name,
    Count: count,
    Services: services,
    Networks: [{ DynamicPorts: [{ Label: 'http', To: 8080 }] }],
    Update: { MaxParallel: 1, MinHealthyTime: 2e9, AutoRevert: true },
    Tasks: [
      {
        Name: 'app',
        Driver: driver,
        Config: { image: 'basket:1', ports: ['http'] },
        Env: { GREETING: 'hello' },
        Resources: { CPU: cpu, MemoryMB: memory, MemoryMaxMB: 0 },
      },
    ],
  };
}

function job(id, type, groups) {
  return {
    ID: id,
    Name: id,
    Namespace: 'default',
    Type: type,
    Priority: 50,
    Datacenters: ['dc1'],
    NodePool: 'default',
    TaskGroups: groups,
  };
}

export class Cluster {
  index = 100;
  tableIndex = {};
  nodes = new Map();
  jobs = new Map();
  versions = new Map();
  allocations = new Map();
  evaluations = new Map();
  deployments = new Map();
  events = [];
  logs = new Map();
  listeners = new Set();
  streams = new Set();
  ports = 20_000;
  servers = ['s1', 's2', 's3'].map((name, i) => ({ name, address: `127.0.0.${i + 1}`, leader: i === 0 }));

  constructor() {
    ['n1', 'n2', 'n3'].forEach((name, i) => this.addNode(name, `127.0.0.1${i + 1}`, i === 2 ? 'rack-b' : 'rack-a'));
    this.register(job('node-exporter', 'system', [group('exporter', 1, 64, 50, 'docker')]));
    this.register(service('checkout', 4, 320, 300, ['http', 'v2']));
    this.register(service('gateway', 2, 192, 200, ['edge']));
    this.register(job('postgres', 'service', [group('db', 1, 1024, 800)]));
    this.register(job('reindex', 'batch', [group('shard', 5, 224, 250)]));
    this.register(job('too-big', 'service', [group('huge', 1, 6144, 500)]));
    setInterval(() => this.breathe(), 1000).unref();
  }

  changed(table, topic, type, key, payload, filterKeys = [], namespace = 'default') {
    this.index += 1;
    this.tableIndex[table] = this.index;
    this.tableIndex.any = this.index;
    const event = {
      Topic: topic,
      Type: type,
      Key: key,
      Namespace: namespace,
      FilterKeys: filterKeys,
      Index: this.index,
      Payload: payload,
    };
    this.events.push(event);
    if (this.events.length > 100) this.events.shift();
    for (const stream of this.streams) stream({ Index: this.index, Events: [event] });
    for (const listener of this.listeners) listener();
    return this.index;
  }

  addNode(name, address, rack) {
    const node = {
      ID: uuid(`node ${name}`),
      Name: name,
      Datacenter: 'dc1',
      NodePool: 'default',
      NodeClass: 'general',
      HTTPAddr: `${address}:4646`,
      Attributes: {
        'cpu.arch': 'amd64',
        'cpu.numcores': '4',
        'cpu.totalcompute': '4000',
        'driver.docker': '1',
        'driver.docker.version': '20.10.24',
        'kernel.name': 'linux',
        'kernel.version': '6.1.0-32-amd64',
        'memory.totalbytes': '4294967296',
        'os.name': 'debian',
        'os.version': '12.9',
        'unique.network.ip-address': address,
      },
      Meta: { rack },
      SchedulingEligibility: 'eligible',
      Status: 'ready',
      Drain: false,
      DrainStrategy: null,
      Events: [],
      Drivers: {
        docker: { Detected: true, Healthy: true, HealthDescription: 'healthy' },
        fake: { Detected: true, Healthy: true },
      },
      LastDrain: null,
      CreateIndex: this.index,
      total: { CPU: 4000, MemoryMB: 4096, MemoryMaxMB: 6144 },
    };
    this.nodes.set(node.ID, node);
    this.nodeEvent(node, 'NodeRegistration', 'Node registered', 'Cluster');
  }

  nodeEvent(node, type, message, subsystem) {
    node.Events = [
      ...node.Events,
      { Message: message, Subsystem: subsystem, Timestamp: new Date().toISOString() },
    ].slice(-10);
    node.ModifyIndex = this.changed('nodes', 'Node', type, node.ID, { Node: { ...node, Events: undefined } });
  }

  register(document) {
    const old = this.jobs.get(document.ID);
    const spec = { ...document };
    const entry = {
      ...spec,
      Namespace: document.Namespace ?? 'default',
      Version: old ? old.Version + 1 : 0,
      Status: 'pending',
      Stop: document.Stop ?? false,
      Stable: false,
      SubmitTime: now(),
      CreateIndex: old?.CreateIndex ?? this.index + 1,
    };
    this.jobs.set(entry.ID, entry);
    this.versions.set(entry.ID, [entry, ...(this.versions.get(entry.ID) ?? [])]);
    entry.ModifyIndex = entry.JobModifyIndex = this.changed('jobs', 'Job', 'JobRegistered', entry.ID, { Job: entry });
    if (entry.Type === 'service' && !entry.Stop) this.deploy(entry);
    return this.evaluate(entry, 'job-register');
  }

  purge(id) {
    this.jobs.delete(id);
    this.versions.delete(id);
    for (const [key, d] of this.deployments) if (d.JobID === id) this.deployments.delete(key);
    for (const [key, a] of this.allocations) if (a.JobID === id) this.allocations.delete(key);
    this.changed('jobs', 'Job', 'JobDeregistered', id, { Job: { ID: id, Stop: true } });
  }

  deploy(entry) {
    const deployment = {
      ID: randomUUID(),
      Namespace: entry.Namespace,
      JobID: entry.ID,
      JobVersion: entry.Version,
      Status: 'running',
      StatusDescription: 'Deployment is running',
      CreateTime: now(),
      ModifyTime: now(),
      CreateIndex: this.index,
      TaskGroups: Object.fromEntries(
        entry.TaskGroups.map((g) => [
          g.Name,
          {
            AutoRevert: true,
            DesiredCanaries: 0,
            DesiredTotal: g.Count,
            PlacedAllocs: 0,
            HealthyAllocs: 0,
            UnhealthyAllocs: 0,
            RequireProgressBy: new Date(Date.now() + 600_000).toISOString(),
          },
        ]),
      ),
    };
    this.deployments.set(deployment.ID, deployment);
    this.deploymentChanged(deployment);
  }

  deploymentChanged(deployment) {
    deployment.ModifyTime = now();
    deployment.ModifyIndex = this.changed(
      'deployments',
      'Deployment',
      'DeploymentStatusUpdate',
      deployment.ID,
      { Deployment: deployment },
      [deployment.JobID],
    );
  }

  latestDeployment(id) {
    return [...this.deployments.values()].filter((d) => d.JobID === id).at(-1);
  }

  alive(filter) {
    return [...this.allocations.values()].filter(
      (a) => (a.ClientStatus === 'pending' || a.ClientStatus === 'running') && filter(a),
    );
  }

  free(node) {
    const held = this.alive((a) => a.NodeID === node.ID);
    return {
      CPU: node.total.CPU - held.reduce((sum, a) => sum + a.ask.CPU, 0),
      MemoryMB: node.total.MemoryMB - held.reduce((sum, a) => sum + a.ask.MemoryMB, 0),
    };
  }

  evaluate(entry, trigger) {
    const evaluation = {
      ID: randomUUID(),
      Namespace: entry.Namespace,
      Type: entry.Type,
      Priority: 50,
      TriggeredBy: trigger,
      JobID: entry.ID,
      Status: 'complete',
      CreateTime: now(),
      ModifyTime: now(),
      CreateIndex: this.index,
    };
    let missing = 0;
    for (const g of entry.TaskGroups) missing += this.reconcile(entry, g, evaluation);
    for (const [id, e] of this.evaluations)
      if (e.Status === 'blocked' && e.JobID === entry.ID) this.evaluations.delete(id);
    if (missing > 0) evaluation.Status = 'blocked';
    this.evaluations.set(evaluation.ID, evaluation);
    evaluation.ModifyIndex = this.changed(
      'evaluations',
      'Evaluation',
      'EvaluationUpdated',
      evaluation.ID,
      { Evaluation: evaluation },
      [entry.ID],
    );
    return evaluation.ID;
  }

  reconcile(entry, g, evaluation) {
    const mine = this.alive((a) => a.JobID === entry.ID && a.TaskGroup === g.Name && a.DesiredStatus === 'run');
    if (entry.Stop) {
      mine.forEach((a) => this.stop(a, 'job stopped'));
      return 0;
    }
    const old = mine.filter((a) => a.JobVersion !== entry.Version);
    if (old.length > 0) this.stop(old[0], 'replaced by a newer version');
    const names = new Set(mine.filter((a) => a.DesiredStatus === 'run').map((a) => a.Name));
    const done = [...this.allocations.values()].filter(
      (a) => a.JobID === entry.ID && a.ClientStatus === 'complete' && entry.Type === 'batch',
    );
    done.forEach((a) => names.add(a.Name));
    let missing = 0;
    if (entry.Type === 'system') {
      for (const node of this.usable())
        if (!mine.some((a) => a.NodeID === node.ID)) this.place(entry, g, 0, node, evaluation);
      return 0;
    }
    for (let i = 0; i < g.Count; i += 1) {
      const name = `${entry.ID}.${g.Name}[${i}]`;
      if (names.has(name)) continue;
      const ask = g.Tasks[0].Resources;
      const here = (node) =>
        mine.filter((a) => a.NodeID === node.ID).length +
        [...this.allocations.values()].filter((a) => a.fresh === evaluation.ID && a.NodeID === node.ID).length;
      const fits = this.usable().filter(
        (node) => this.free(node).MemoryMB >= ask.MemoryMB && this.free(node).CPU >= ask.CPU,
      );
      fits.sort((a, b) => here(a) - here(b) || this.free(b).MemoryMB - this.free(a).MemoryMB);
      if (fits[0]) this.place(entry, g, i, fits[0], evaluation);
      else missing += 1;
    }
    return missing;
  }

  usable() {
    return [...this.nodes.values()].filter(
      (n) => n.Status === 'ready' && !n.Drain && n.SchedulingEligibility === 'eligible',
    );
  }

  place(entry, g, i, node, evaluation) {
    const ask = g.Tasks[0].Resources;
    const deployment = this.latestDeployment(entry.ID);
    const name = `${entry.ID}.${g.Name}[${i}]`;
    const previous = [...this.allocations.values()].filter((a) => a.Name === name && a.ClientStatus === 'lost').at(-1);
    const allocation = {
      ID: randomUUID(),
      Namespace: entry.Namespace,
      Name: name,
      EvalID: evaluation.ID,
      NodeID: node.ID,
      NodeName: node.Name,
      JobID: entry.ID,
      JobType: entry.Type,
      JobVersion: entry.Version,
      TaskGroup: g.Name,
      DesiredStatus: 'run',
      ClientStatus: 'pending',
      PreviousAllocation: previous?.ID ?? '',
      DeploymentID: deployment?.Status === 'running' ? deployment.ID : '',
      TaskStates: { app: { State: 'pending', Restarts: 0, Events: [] } },
      AllocatedResources: {
        Tasks: { app: { Cpu: { CpuShares: ask.CPU }, Memory: { MemoryMB: ask.MemoryMB, MemoryMaxMB: 0 } } },
        Shared: {
          DiskMB: 300,
          Ports: [{ Label: 'http', Value: (this.ports += 7), To: 8080, HostIP: node.HTTPAddr.split(':')[0] }],
        },
      },
      CreateTime: now(),
      ModifyTime: now(),
      CreateIndex: this.index + 1,
      ask: { CPU: ask.CPU, MemoryMB: ask.MemoryMB },
      used: 0,
      fresh: evaluation.ID,
    };
    if (previous) previous.NextAllocation = allocation.ID;
    this.allocations.set(allocation.ID, allocation);
    this.logs.set(allocation.ID, { stdout: [], stderr: [] });
    this.taskEvent(allocation, 'Received', 'Task received by the agent');
    this.taskEvent(allocation, 'Task Setup', 'Building the task directory');
    if (deployment && allocation.DeploymentID) deployment.TaskGroups[g.Name].PlacedAllocs += 1;
    this.allocationChanged(allocation, 'AllocationCreated');
    setTimeout(() => this.start(allocation), START_MS + Math.random() * 400);
  }

  taskEvent(allocation, type, message, details = {}) {
    allocation.TaskStates.app.Events.push({ Type: type, Time: now(), DisplayMessage: message, Details: details });
  }

  allocationChanged(allocation, type = 'AllocationUpdated') {
    allocation.ModifyTime = now();
    allocation.ModifyIndex = this.changed(
      'allocations',
      'Allocation',
      type,
      allocation.ID,
      { Allocation: { ...allocation, TaskStates: undefined } },
      [allocation.JobID, allocation.DeploymentID],
    );
  }

  reachable(allocation) {
    return this.nodes.get(allocation.NodeID).killed !== true;
  }

  start(allocation) {
    if (allocation.ClientStatus !== 'pending' || !this.reachable(allocation)) return;
    allocation.ClientStatus = 'running';
    allocation.TaskStates.app = { ...allocation.TaskStates.app, State: 'running', StartedAt: new Date().toISOString() };
    this.taskEvent(allocation, 'Started', 'Task started by the agent');
    allocation.used = allocation.ask.MemoryMB * (0.3 + Math.random() * 0.4);
    this.log(allocation, 'stdout', 'listening on :8080');
    this.allocationChanged(allocation);
    const entry = this.jobs.get(allocation.JobID);
    entry.Status = 'running';
    if (entry.Type === 'service') setTimeout(() => this.healthy(allocation), HEALTHY_MS + Math.random() * 500);
    if (entry.Type === 'batch') setTimeout(() => this.finish(allocation), 20_000 + Math.random() * 240_000).unref();
  }

  healthy(allocation) {
    if (allocation.ClientStatus !== 'running' || !this.reachable(allocation)) return;
    allocation.DeploymentStatus = { Healthy: true, Canary: false, Timestamp: new Date().toISOString() };
    this.allocationChanged(allocation);
    this.changed(
      'services',
      'Service',
      'ServiceRegistration',
      allocation.JobID,
      { Service: this.registration(allocation) },
      [allocation.JobID],
    );
    const deployment = this.deployments.get(allocation.DeploymentID);
    if (deployment?.Status !== 'running') return;
    const state = deployment.TaskGroups[allocation.TaskGroup];
    state.HealthyAllocs += 1;
    const entry = this.jobs.get(allocation.JobID);
    if (Object.values(deployment.TaskGroups).every((g) => g.HealthyAllocs >= g.DesiredTotal)) {
      deployment.Status = 'successful';
      deployment.StatusDescription = 'Deployment completed successfully';
      entry.Stable = true;
    }
    this.deploymentChanged(deployment);
    this.evaluate(entry, 'deployment-watcher');
  }

  finish(allocation) {
    if (allocation.ClientStatus !== 'running') return;
    allocation.ClientStatus = 'complete';
    Object.assign(allocation.TaskStates.app, { State: 'dead', FinishedAt: new Date().toISOString() });
    this.taskEvent(allocation, 'Terminated', 'Exit code 0', { exit_code: '0' });
    this.allocationChanged(allocation);
    this.unblock();
  }

  stop(allocation, reason) {
    allocation.DesiredStatus = 'stop';
    allocation.DesiredDescription = reason;
    this.taskEvent(allocation, 'Killing', `Sent SIGTERM: ${reason}`);
    this.allocationChanged(allocation, 'AllocationUpdateDesiredStatus');
    setTimeout(() => {
      if (allocation.ClientStatus !== 'running' && allocation.ClientStatus !== 'pending') return;
      allocation.ClientStatus = 'complete';
      Object.assign(allocation.TaskStates.app, { State: 'dead', FinishedAt: new Date().toISOString() });
      this.taskEvent(allocation, 'Killed', 'Task was stopped');
      this.allocationChanged(allocation);
      this.drainStep();
      this.unblock();
    }, STOP_MS);
  }

  unblock() {
    for (const e of [...this.evaluations.values()])
      if (e.Status === 'blocked') this.evaluate(this.jobs.get(e.JobID), 'queued-allocs');
  }

  kill(name) {
    const node = this.byName(name);
    node.killed = true;
    setTimeout(() => {
      if (!node.killed) return;
      node.Status = 'down';
      this.nodeEvent(node, 'NodeStreamEvent', 'Heartbeat missed, the node is down', 'Heartbeat');
      const gone = this.alive((a) => a.NodeID === node.ID);
      for (const a of gone) {
        a.ClientStatus = 'lost';
        a.ClientDescription = 'the node is down';
        this.allocationChanged(a);
        this.changed('services', 'Service', 'ServiceDeregistration', a.JobID, { Service: this.registration(a) }, [
          a.JobID,
        ]);
      }
      for (const id of new Set(gone.map((a) => a.JobID))) this.evaluate(this.jobs.get(id), 'node-update');
    }, DOWN_MS);
  }

  startNode(name) {
    const node = this.byName(name);
    node.killed = false;
    node.Status = 'ready';
    this.nodeEvent(node, 'NodeRegistration', 'Node reregistered by heartbeat', 'Cluster');
    for (const entry of this.jobs.values()) if (entry.Type === 'system') this.evaluate(entry, 'node-update');
    this.unblock();
  }

  byName(name) {
    const node = [...this.nodes.values()].find((n) => n.Name === name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  drain(node, spec, markEligible) {
    node.Drain = spec !== null;
    node.DrainStrategy = spec && {
      Deadline: spec.Deadline,
      ForceDeadline: new Date(Date.now() + spec.Deadline / NS).toISOString(),
    };
    node.SchedulingEligibility = node.Drain || !markEligible ? 'ineligible' : 'eligible';
    node.drainTotal = node.Drain ? this.alive((a) => a.NodeID === node.ID).map((a) => a.ID) : [];
    if (!node.Drain) this.unblock();
    this.nodeEvent(node, 'NodeDrain', node.Drain ? 'Node drain strategy set' : 'Node drain canceled', 'Drain');
    this.drainStep();
  }

  drainStep() {
    for (const node of this.nodes.values()) {
      if (!node.Drain) continue;
      const left = this.alive((a) => a.NodeID === node.ID);
      if (left.length === 0) {
        Object.assign(node, {
          Drain: false,
          DrainStrategy: null,
          LastDrain: { Status: 'complete', StartedAt: new Date().toISOString(), UpdatedAt: new Date().toISOString() },
        });
        this.nodeEvent(node, 'NodeDrain', 'Node drain complete', 'Drain');
      } else if (left.every((a) => a.DesiredStatus === 'run')) {
        setTimeout(() => {
          if (!node.Drain || left[0].DesiredStatus !== 'run') return;
          this.stop(left[0], 'the node drains');
          this.evaluate(this.jobs.get(left[0].JobID), 'node-drain');
        }, 900);
      }
    }
  }

  breathe() {
    for (const a of this.alive((a) => a.ClientStatus === 'running')) {
      a.used = Math.max(
        a.ask.MemoryMB * 0.15,
        Math.min(a.ask.MemoryMB * 0.97, a.used + (Math.random() - 0.5) * a.ask.MemoryMB * 0.04),
      );
      if (!this.reachable(a)) continue;
      const paths = ['/', '/health', '/basket/42', '/basket/7/items'];
      const ms = (Math.random() * 9 + 0.4).toFixed(1);
      this.log(a, 'stdout', `GET ${paths[Math.floor(Math.random() * paths.length)]} 200 ${ms}ms`);
      if (Math.random() < 0.08) this.log(a, 'stderr', 'slow client, dropping connection');
    }
  }

  log(allocation, stream, text) {
    const line = `${new Date().toISOString()} ${text}\n`;
    const log = this.logs.get(allocation.ID);
    log[stream] = [...log[stream], line].slice(-500);
    for (const follower of log.followers ?? []) follower(stream, line);
  }

  registration(a) {
    const port = a.AllocatedResources.Shared.Ports[0];
    return {
      ID: `_nomad-task-${a.ID}-group-${a.TaskGroup}-${a.JobID}-http`,
      ServiceName: a.JobID,
      Namespace: a.Namespace,
      NodeID: a.NodeID,
      Datacenter: 'dc1',
      JobID: a.JobID,
      AllocID: a.ID,
      Tags: this.services(a.JobID)[0]?.Tags ?? [],
      Address: port.HostIP,
      Port: port.Value,
    };
  }

  services(id) {
    return (this.jobs.get(id)?.TaskGroups ?? []).flatMap((g) => g.Services ?? []);
  }

  passing() {
    return this.alive(
      (a) =>
        a.ClientStatus === 'running' &&
        a.DesiredStatus === 'run' &&
        a.DeploymentStatus?.Healthy &&
        this.services(a.JobID).length > 0,
    ).map((a) => this.registration(a));
  }
}
