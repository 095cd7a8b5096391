// What the make-believe cluster says when it is asked why: of jobs, of nodes, and what there is room for.

export function why(cluster, job) {
  return {
    JobID: job.ID,
    Namespace: job.Namespace,
    JobVersion: job.Version,
    Index: cluster.index,
    Groups: job.TaskGroups.map((g) => {
      const ask = g.Tasks[0].Resources;
      const running = cluster.alive((a) => a.JobID === job.ID && a.TaskGroup === g.Name).length;
      const desired = job.Stop ? 0 : job.Type === 'system' ? cluster.usable().length : g.Count;
      const done = [...cluster.allocations.values()].filter(
        (a) => a.JobID === job.ID && a.ClientStatus === 'complete' && job.Type === 'batch',
      ).length;
      const nodes = [...cluster.nodes.values()].map((n) => {
        const reasons = [];
        if (n.Status !== 'ready') reasons.push(`node is ${n.Status}`);
        else if (n.SchedulingEligibility !== 'eligible')
          reasons.push(`ineligible (${n.Drain ? 'draining' : 'by operator'})`);
        const short = ask.MemoryMB - cluster.free(n).MemoryMB;
        if (short > 0) reasons.push(`memory short ${short} MiB of ${ask.MemoryMB}`);
        return { ID: n.ID, Name: n.Name, Fits: reasons.length === 0, Reasons: reasons };
      });
      const blocked = [...cluster.evaluations.values()].find((e) => e.Status === 'blocked' && e.JobID === job.ID);
      const memory = nodes.filter((n) => n.Reasons.some((r) => r.startsWith('memory'))).length;
      const other = nodes.filter((n) => n.Reasons.length && !n.Reasons[0].startsWith('memory')).length;
      const roomiest = Math.max(...cluster.usable().map((n) => cluster.free(n).MemoryMB), 0);
      return {
        Group: g.Name,
        Desired: desired,
        Running: running,
        Unplaced: Math.max(0, desired - running - done),
        BlockedEval: blocked?.ID ?? null,
        BlockedSince: blocked?.CreateTime ?? null,
        Ask: { CPU: ask.CPU, MemoryMB: ask.MemoryMB, MemoryMaxMB: 0, DiskMB: 300 },
        NodesTotal: nodes.length,
        NodesFiltered: other,
        NodesExhausted: memory,
        NodesFit: nodes.filter((n) => n.Fits).length,
        Reasons: [
          { Reason: 'memory', Nodes: memory, Filter: false },
          { Reason: 'not ready', Nodes: other, Filter: true },
        ].filter((r) => r.Nodes > 0),
        Nodes: nodes,
        Hints:
          roomiest < ask.MemoryMB ? [`lower memory to ${roomiest} MiB: fits 1 node`, 'add one node with 8 GiB'] : [],
      };
    }),
  };
}

/** Instances that are missing go to the roomiest nodes; everything else stays. */
export function plan(cluster, job) {
  const known = cluster.jobs.get(job.ID);
  const updates = {};
  const placements = [];
  const failed = {};
  const taken = new Map();
  const room = (node) => cluster.free(node).MemoryMB - (taken.get(node.ID) ?? 0);
  for (const group of job.TaskGroups) {
    const alive = cluster.alive((a) => a.JobID === job.ID && a.TaskGroup === group.Name).length;
    const missing = Math.max(0, group.Count - alive);
    const memory = group.Tasks[0].Resources.MemoryMB;
    let placed = 0;
    for (; placed < missing; placed += 1) {
      const node = cluster.usable().sort((a, b) => room(b) - room(a))[0];
      if (!node || room(node) < memory) break;
      taken.set(node.ID, (taken.get(node.ID) ?? 0) + memory);
      const name = `${job.ID}.${group.Name}[${alive + placed}]`;
      placements.push({ Name: name, TaskGroup: group.Name, NodeName: node.Name, NodeID: node.ID });
    }
    const none = { Migrate: 0, InPlaceUpdate: 0, DestructiveUpdate: 0, Canary: 0, Preemptions: 0 };
    const kept = Math.min(alive, group.Count);
    updates[group.Name] = { ...none, Ignore: kept, Place: placed, Stop: alive - kept };
    if (placed < missing)
      failed[group.Name] = {
        NodesEvaluated: cluster.nodes.size,
        NodesFiltered: cluster.nodes.size - cluster.usable().length,
        NodesExhausted: cluster.usable().length,
        DimensionExhausted: { memory: cluster.usable().length },
        CoalescedFailures: missing - placed - 1,
      };
  }
  const count = (one) => one?.TaskGroups.map((group) => group.Count).join();
  const isEdited = known !== undefined && count(known) !== count(job);
  const field = { Type: 'Edited', Name: 'Count', Old: count(known) ?? '', New: count(job) };
  const groups = isEdited ? [{ Type: 'Edited', Name: job.TaskGroups[0].Name, Fields: [field] }] : [];
  return {
    Annotations: { DesiredTGUpdates: updates },
    FailedTGAllocs: failed,
    JobModifyIndex: known?.JobModifyIndex ?? 0,
    Diff: { Type: known ? (isEdited ? 'Edited' : 'None') : 'Added', ID: job.ID, TaskGroups: groups },
    Warnings: '',
    Placements: placements,
    Preemptions: [],
  };
}

export function nodeAlone(cluster, node) {
  const free = cluster.free(node);
  return {
    NodeID: node.ID,
    NodeName: node.Name,
    Index: cluster.index,
    Open: cluster.usable().includes(node),
    Closed: cluster.usable().includes(node) ? [] : ['node is marked ineligible'],
    Free: { CPU: free.CPU ?? 0, MemoryMB: free.MemoryMB, MemoryMaxMB: free.MemoryMB, DiskMB: 0 },
    Blocked: [],
    BlockedTotal: 0,
  };
}

export function jobOnNode(cluster, node, job) {
  const groups = why(cluster, job).Groups.map((group) => {
    const found = group.Nodes.find((n) => n.ID === node.ID);
    return {
      Group: group.Group,
      Instances: [],
      Fits: found.Fits,
      Checks: [
        {
          Name: 'memory',
          Ok: found.Fits,
          Wanted: `${group.Ask.MemoryMB} MiB`,
          Has: `${cluster.free(node).MemoryMB} MiB free`,
          Reason: found.Reasons.join('; '),
        },
      ],
      Score: found.Fits ? { Total: -0.5, Parts: { packing: -0.5 } } : null,
      Rank: found.Fits ? 1 : null,
      NodesFit: group.NodesFit,
      Best: null,
    };
  });
  return { NodeID: node.ID, NodeName: node.Name, JobID: job.ID, Namespace: job.Namespace, Groups: groups };
}

export function capacity(cluster) {
  const nodes = [...cluster.nodes.values()];
  const amounts = (memory) => ({ CPU: 0, MemoryMB: memory, MemoryMaxMB: memory, DiskMB: 0 });
  const free = cluster.usable().reduce((sum, node) => sum + cluster.free(node).MemoryMB, 0);
  return {
    Index: cluster.index,
    Shares: [
      {
        Datacenter: 'dc1',
        NodePool: 'default',
        NodeClass: '',
        Nodes: nodes.length,
        Open: cluster.usable().length,
        Total: amounts(free),
        Held: amounts(0),
        Free: amounts(free),
        LargestMemory: null,
        LargestCPU: null,
      },
    ],
  };
}

/** What would come of a change, by memory alone. */
export function foresee(cluster, { Ask: ask, NodesAdded: added = [] }) {
  const fits = (memory) => Math.floor(memory / Math.max(ask?.MemoryMB ?? 1, 1));
  const nodes = Object.fromEntries(cluster.usable().map((node) => [node.Name, fits(cluster.free(node).MemoryMB)]));
  let number = 0;
  for (const { Count: count, MemoryMB: memory } of added)
    for (let more = 0; more < count; more++) nodes[`new-${++number}`] = fits(memory);
  const instances = Object.values(nodes).reduce((sum, count) => sum + count, 0);
  return {
    NodesAdded: Object.keys(nodes).filter((name) => name.startsWith('new-')),
    Moved: [],
    Ask: ask?.Count === undefined ? null : { Wanted: ask.Count, Placed: Math.min(ask.Count, instances) },
    Room: ask ? { Instances: instances, IsLimit: false, Nodes: nodes, EndsFirst: 'memory' } : null,
  };
}
