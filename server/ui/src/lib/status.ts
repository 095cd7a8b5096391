// How the state of a thing looks: a word, a tone (colour) and a glyph (shape), so that colour is never the only sign.
import type { Allocation, ClientStatus, Evaluation, JobRow, JobRowAllocation } from './model';

export type Tone = 'good' | 'info' | 'warn' | 'bad' | 'lost' | 'done' | 'none';
export type Glyph = 'solid' | 'ring' | 'dot' | 'bang' | 'cross' | 'tick' | 'hatch' | 'dashed' | 'down';

export interface Face {
  word: string;
  tone: Tone;
  glyph: Glyph;
}

interface AllocationLike {
  ClientStatus: ClientStatus;
  DesiredStatus?: string;
  DeploymentStatus?: { Healthy?: boolean | null } | null;
}

/** An allocation's face. `judged` says that a deployment is watching, so that health not known yet is worth a sign. */
export function allocationFace(allocation: AllocationLike, judged = false): Face {
  const healthy = allocation.DeploymentStatus?.Healthy;
  switch (allocation.ClientStatus) {
    case 'pending':
      return { word: 'starting', tone: 'info', glyph: 'ring' };
    case 'running':
      if (allocation.DesiredStatus === 'stop' || allocation.DesiredStatus === 'evict') return STOPPING;
      if (healthy === false) return { word: 'unhealthy', tone: 'bad', glyph: 'bang' };
      if (healthy == null && judged) return { word: 'checking', tone: 'info', glyph: 'dot' };
      return { word: healthy ? 'healthy' : 'running', tone: 'good', glyph: 'solid' };
    case 'complete':
      return { word: 'complete', tone: 'done', glyph: 'tick' };
    case 'failed':
      return { word: 'failed', tone: 'bad', glyph: 'cross' };
    case 'lost':
      return { word: 'lost', tone: 'lost', glyph: 'hatch' };
    case 'unknown':
      return { word: 'unknown', tone: 'lost', glyph: 'hatch' };
  }
}

export const STOPPING: Face = { word: 'stopping', tone: 'warn', glyph: 'down' };
export const STOPPED: Face = { word: 'stopped', tone: 'done', glyph: 'cross' };
export const NOT_PLACED: Face = { word: 'not placed', tone: 'warn', glyph: 'dashed' };

/** A node's face: the worst thing that is true of it. */
export function nodeFace(status: string, eligibility: string, drain: boolean): Face {
  if (status === 'down' || status === 'disconnected') return { word: status, tone: 'bad', glyph: 'cross' };
  if (status === 'suspect') return { word: 'suspect', tone: 'lost', glyph: 'hatch' };
  if (status !== 'ready') return { word: status, tone: 'info', glyph: 'ring' };
  if (drain) return { word: 'draining', tone: 'warn', glyph: 'down' };
  if (eligibility !== 'eligible') return { word: 'ineligible', tone: 'warn', glyph: 'dashed' };
  return { word: 'ready', tone: 'good', glyph: 'solid' };
}

const WORDS: Record<string, Face> = {
  running: { word: 'running', tone: 'good', glyph: 'solid' },
  successful: { word: 'successful', tone: 'good', glyph: 'tick' },
  complete: { word: 'complete', tone: 'done', glyph: 'tick' },
  cancelled: { word: 'cancelled', tone: 'done', glyph: 'cross' },
  canceled: { word: 'canceled', tone: 'done', glyph: 'cross' },
  failed: { word: 'failed', tone: 'bad', glyph: 'cross' },
  blocked: { word: 'blocked', tone: 'warn', glyph: 'dashed' },
  pending: { word: 'pending', tone: 'info', glyph: 'ring' },
  paused: { word: 'paused', tone: 'warn', glyph: 'dashed' },
  dead: { word: 'dead', tone: 'done', glyph: 'cross' },
  alive: { word: 'alive', tone: 'good', glyph: 'solid' },
  left: { word: 'left', tone: 'done', glyph: 'down' },
  passing: { word: 'passing', tone: 'good', glyph: 'tick' },
  success: { word: 'passing', tone: 'good', glyph: 'tick' },
  starting: { word: 'starting', tone: 'info', glyph: 'ring' },
  failing: { word: 'failing', tone: 'bad', glyph: 'bang' },
  failure: { word: 'failing', tone: 'bad', glyph: 'bang' },
  draining: { word: 'draining', tone: 'warn', glyph: 'down' },
  waiting: { word: 'waiting', tone: 'info', glyph: 'ring' },
  migrating: { word: 'migrating', tone: 'info', glyph: 'dot' },
  stopping: { word: 'stopping', tone: 'warn', glyph: 'down' },
  gone: { word: 'gone', tone: 'done', glyph: 'tick' },
  moving: { word: 'moving', tone: 'info', glyph: 'dot' },
  done: { word: 'done', tone: 'good', glyph: 'tick' },
  skipped: { word: 'skipped', tone: 'done', glyph: 'cross' },
  cancelling: { word: 'cancelling', tone: 'info', glyph: 'dot' },
  aborting: { word: 'aborting', tone: 'info', glyph: 'dot' },
  aborted: { word: 'aborted', tone: 'bad', glyph: 'cross' },
};

/** The face of a status word of any other thing. */
export function wordFace(word: string): Face {
  return WORDS[word] ?? { word, tone: 'none', glyph: 'ring' };
}

/** A deployment under way is busy, not good: "running" means something else for it than for a job. */
export function deploymentFace(status: string): Face {
  if (status === 'running') return { word: 'in progress', tone: 'info', glyph: 'dot' };
  return wordFace(status);
}

/** A rebalance under way is busy, as a deployment is. */
export function rebalanceFace(status: string): Face {
  return deploymentFace(status);
}

const LIVE = new Set<ClientStatus>(['pending', 'running', 'unknown']);

/** What a jobs list says about one job: squares, and running of desired. */
export interface JobSummary {
  /** What a square stands for. */
  shown: JobRowAllocation[];
  missing: number;
  running: number;
  /** How many shall run: of a batch job, those that have not finished. */
  desired: number;
  finished: number;
  face: Face;
}

/** The jobs that a blocked evaluation waits for, as "namespace/id". */
export function blockedJobs(evaluations: Evaluation[] | undefined): Set<string> {
  return new Set((evaluations ?? []).map((e) => `${e.Namespace ?? 'default'}/${e.JobID ?? ''}`));
}

export function summarise(row: JobRow, blocked: Set<string>): JobSummary {
  const all = row.Allocs ?? [];
  const lasting = row.Type === 'service' || row.Type === 'system';
  const alive = all.filter((a) => LIVE.has(a.ClientStatus));
  const finished = lasting ? [] : all.filter((a) => a.ClientStatus === 'complete');
  const desired = row.Stop
    ? 0
    : row.Type === 'system'
      ? alive.length
      : Math.max(0, row.GroupCountSum - finished.length);
  const broken = all.filter((a) => a.ClientStatus === 'failed' || a.ClientStatus === 'lost');
  // A broken allocation is shown only while nothing has taken its place.
  const gap = Math.max(0, desired - alive.length);
  const holes = gap > 0 ? broken.slice(-gap) : [];
  const missing = Math.max(0, gap - holes.length);
  const running = all.filter((a) => a.ClientStatus === 'running').length;
  const shown = [...finished, ...alive, ...holes];
  const face = jobFace(row, shown, missing, blocked.has(`${row.Namespace}/${row.ID}`));
  return { shown, missing, running, desired, finished: finished.length, face };
}

function jobFace(row: JobRow, shown: JobRowAllocation[], missing: number, blocked: boolean): Face {
  if (row.Stop) {
    const alive = shown.some((a) => LIVE.has(a.ClientStatus));
    return alive ? STOPPING : STOPPED;
  }
  const deployment = row.LatestDeployment;
  const some = (status: ClientStatus) => shown.some((a) => a.ClientStatus === status);
  if (shown.length > 0 && shown.every((a) => a.ClientStatus === 'complete') && missing === 0)
    return { word: 'complete', tone: 'done', glyph: 'tick' };
  if (shown.length > 0 && shown.every((a) => a.ClientStatus === 'failed' || a.ClientStatus === 'lost'))
    return { word: 'failed', tone: 'bad', glyph: 'cross' };
  if (blocked && missing > 0) return { word: 'blocked', tone: 'warn', glyph: 'dashed' };
  if (deployment?.IsActive) return { word: 'deploying', tone: 'info', glyph: 'dot' };
  if (some('failed') || some('lost') || some('unknown')) return { word: 'degraded', tone: 'bad', glyph: 'bang' };
  if (some('pending')) return { word: 'starting', tone: 'info', glyph: 'ring' };
  if (missing > 0) return { word: 'pending', tone: 'info', glyph: 'ring' };
  return { word: row.Type === 'batch' ? 'running' : 'healthy', tone: 'good', glyph: 'solid' };
}

/** Allocations in the order of the list: alive first, then by name, then the newest. */
export function inOrder(allocations: Allocation[]): Allocation[] {
  return [...allocations].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (rank(a) === 2 ? b.ModifyTime - a.ModifyTime : 0) ||
      a.Name.localeCompare(b.Name, undefined, { numeric: true }) ||
      b.CreateIndex - a.CreateIndex,
  );
}

function rank(a: Allocation): number {
  if (!LIVE.has(a.ClientStatus)) return 2;
  return a.DesiredStatus === 'run' ? 0 : 1;
}

export function isAlive(allocation: { ClientStatus: ClientStatus }): boolean {
  return LIVE.has(allocation.ClientStatus);
}

/** "web[2]" of "basket.web[2]". */
export function instanceName(name: string, job: string): string {
  return name.startsWith(`${job}.`) ? name.slice(job.length + 1) : name;
}
