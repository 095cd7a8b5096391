// The running cluster as the browser test sees it: address and hooks from the environment, the API, the command line.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see README.md beside this file`);
  return value;
}

export const url = need('UI_URL').replace(/\/+$/, '').replace(/\/ui$/, '');
export const jobspec = need('JOBSPEC');
/** The id of the job that the file describes. */
export const job = /^\s*job\s+"([^"]+)"/m.exec(readFileSync(jobspec, 'utf8'))?.[1];
if (!job) throw new Error(`${jobspec} names no job`);

/** Runs a program to its end. The answer has its exit code and all that it said. */
export function run(program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, SCHED_ADDR: url, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });
}

export const sched = (...args) => run(need('SCHED'), args);

async function hook(name, node) {
  const { code, said } = await run('sh', ['-c', need(name), name, node]);
  if (code !== 0) throw new Error(`${name} ${node} ended with ${code}: ${said}`);
}

export const killNode = (node) => hook('HOOK_KILL_NODE', node);
export const startNode = (node) => hook('HOOK_START_NODE', node);

/** What the API answers, with its index; undefined for 404. */
export async function api(path) {
  const response = await fetch(url + path, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const data = await response.json();
  return { data, index: Number(response.headers.get('X-Nomad-Index') ?? data?.Index) || 0 };
}

/** Asks until the answer is not undefined. A condition that does not come true in time fails with its name. */
export async function until(what, ask, timeout = 60_000) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`not within ${timeout / 1000} s: ${what}${last ? ` (${last.message})` : ''}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
