// The one place that speaks HTTP to the server: reads with their index, and the few deeds that the UI offers.
// Paths are API paths ("/v1/…"). A refusal becomes an ApiError that carries the server's own words.
import { NOT_THE_PERSONS } from './diff';
import type { Job, RebalanceAsk, RebalancePlan } from './model';
import type { Foreseen, WhatIf } from './room';
import type { Plan, Submission } from './planned';

/** How long a plain read may take before it counts as failed, in milliseconds. */
export const READ_TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Read<T> {
  data: T;
  /** X-Nomad-Index of the answer, or the Index within it; 0 where the route has neither. */
  index: number;
}

async function refuse(response: Response): Promise<never> {
  const text = (await response.text().catch(() => '')).trim();
  throw new ApiError(response.status, text || `${response.status} ${response.statusText}`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<Read<T>> {
  const response = await fetch(path, { headers: { Accept: 'application/json' }, signal });
  if (!response.ok) await refuse(response);
  const data = (await response.json()) as T;
  const within = (data as { Index?: unknown } | null)?.Index;
  return { data, index: Number(response.headers.get('X-Nomad-Index') ?? within) || 0 };
}

async function send<T>(method: 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(READ_TIMEOUT_MS),
  });
  if (!response.ok) await refuse(response);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** What would come of a change; nothing is changed. */
export function foresee(request: WhatIf): Promise<Foreseen> {
  return send<Foreseen>('PUT', '/v1/capacity', request);
}

/** The document of a jobspec, which is HCL or the document itself. */
export async function parseJob(source: string): Promise<Job> {
  if (!isDocument(source)) return send<Job>('PUT', '/v1/jobs/parse', { JobHCL: source });
  const document = JSON.parse(source) as Job | { Job: Job };
  const job = 'Job' in document ? document.Job : document;
  if (!job.ID) throw new Error('the document names no job: it needs an ID');
  return job;
}

/** Whether a jobspec is JSON. */
export function isDocument(source: string): boolean {
  return source.trimStart().startsWith('{');
}

/** What running a job would do; nothing is changed. */
export function planJob(job: Job): Promise<Plan> {
  return send<Plan>('PUT', jobPath(job.ID, job.Namespace || 'default', '/plan'), { Job: job, Diff: true });
}

/** The text that a job was run from; its document where there is none, or where its variables were given beside it. */
export async function sourceOf(id: string, namespace: string): Promise<string> {
  try {
    const { data } = await get<Submission>(jobPath(id, namespace, '/submission'));
    if (!data.Variables && Object.keys(data.VariableFlags ?? {}).length === 0) return data.Source;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
  const { data } = await get<Job>(jobPath(id, namespace));
  const kept = Object.entries(data).filter(([name]) => !NOT_THE_PERSONS.has(name));
  return JSON.stringify(Object.fromEntries(kept), undefined, 2);
}

/** The query that names a namespace. */
export function inNamespace(namespace: string): string {
  return `namespace=${encodeURIComponent(namespace)}`;
}

/** The path of a job or of something below it. */
export function jobPath(id: string, namespace: string, rest = '', query = ''): string {
  return `/v1/job/${encodeURIComponent(id)}${rest}?${inNamespace(namespace)}${query && '&' + query}`;
}

export const deeds = {
  stopJob: (job: Job) => send('DELETE', jobPath(job.ID, job.Namespace)),
  revertJob: (job: Job, version: number) =>
    send('PUT', jobPath(job.ID, job.Namespace, '/revert'), { JobID: job.ID, JobVersion: version }),
  startJob: (job: Job) => send('PUT', jobPath(job.ID, job.Namespace), { Job: { ...job, Stop: false } }),
  /** Runs what was planned, unless the job has changed since. */
  runJob: (job: Job, source: string, index: number) =>
    send('PUT', `/v1/jobs?${inNamespace(job.Namespace || 'default')}`, {
      Job: job,
      EnforceIndex: true,
      JobModifyIndex: index,
      Submission: { Source: source, Format: isDocument(source) ? 'json' : 'hcl2' },
    }),
  evaluateJob: (job: Job) => send('PUT', jobPath(job.ID, job.Namespace, '/evaluate'), { JobID: job.ID }),
  promote: (deployment: string) =>
    send('PUT', `/v1/deployment/promote/${deployment}`, { DeploymentID: deployment, All: true }),
  failDeployment: (deployment: string) =>
    send('PUT', `/v1/deployment/fail/${deployment}`, { DeploymentID: deployment }),
  stopAllocation: (id: string, namespace: string) =>
    send('PUT', `/v1/allocation/${id}/stop?${inNamespace(namespace)}`, {}),
  restartAllocation: (id: string, namespace: string) =>
    send('PUT', `/v1/client/allocation/${id}/restart?${inNamespace(namespace)}`, { AllTasks: true }),
  setEligible: (node: string, eligible: boolean) =>
    send('PUT', `/v1/node/${node}/eligibility`, { NodeID: node, Eligibility: eligible ? 'eligible' : 'ineligible' }),
  drain: (node: string) =>
    send('PUT', `/v1/node/${node}/drain`, {
      NodeID: node,
      DrainSpec: { Deadline: DRAIN_DEADLINE_NS, IgnoreSystemJobs: false },
      MarkEligible: false,
    }),
  undrain: (node: string) =>
    send('PUT', `/v1/node/${node}/drain`, { NodeID: node, DrainSpec: null, MarkEligible: true }),
  planRebalance: (ask: RebalanceAsk) => send<RebalancePlan>('PUT', '/v1/rebalance/plan', ask),
  rebalance: (ask: RebalanceAsk, checkIndex: number) => send('PUT', '/v1/rebalance', { ...ask, CheckIndex: checkIndex }),
  cancelRebalance: () => send('DELETE', '/v1/rebalance'),
};

/** The deadline of a drain that the UI begins: the CLI's default, one hour. */
export const DRAIN_DEADLINE_NS = 3_600_000_000_000;
