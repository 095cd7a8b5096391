// The "what if" of the capacity page: from what people type to a request, and from the answer to sentences.
import { plural } from './format';
import type { Foreseen, WhatIf } from './model';

/** What stands in the form, as typed. */
export interface Draft {
  cpu: string;
  memory: string;
  count: string;
  addCpu: string;
  addMemory: string;
  addCount: string;
  remove: string[];
}

export const EMPTY: Draft = { cpu: '', memory: '', count: '', addCpu: '', addMemory: '', addCount: '1', remove: [] };

/** The request, or what is wrong with the form. */
export function whatIf(draft: Draft): { request: WhatIf } | { wrong: string } {
  const request: WhatIf = {};
  const asks = draft.cpu.trim() !== '' || draft.memory.trim() !== '';
  if (asks) {
    const [cpu, memory] = [whole(draft.cpu || '0'), mib(draft.memory || '0')];
    if (cpu === undefined) return { wrong: 'CPU is a whole number of MHz' };
    if (memory === undefined) return { wrong: 'memory is an amount such as 512m or 2g' };
    request.Ask = { CPU: cpu, MemoryMB: memory };
    if (draft.count.trim() !== '') {
      const count = whole(draft.count);
      if (count === undefined) return { wrong: 'the count is a whole number; leave it empty for as many as fit' };
      request.Ask.Count = count;
    }
  }
  if (draft.addCpu.trim() !== '' || draft.addMemory.trim() !== '') {
    const [cpu, memory, count] = [whole(draft.addCpu), mib(draft.addMemory), whole(draft.addCount)];
    if (cpu === undefined || memory === undefined || count === undefined)
      return { wrong: 'new nodes need CPU in MHz, memory such as 16g, and how many' };
    request.NodesAdded = [{ CPU: cpu, MemoryMB: memory, Count: count }];
  }
  if (draft.remove.length > 0) request.NodesRemoved = draft.remove;
  if (Object.keys(request).length === 0) return { wrong: 'say what to place, to add or to take away' };
  return { request };
}

function whole(text: string): number | undefined {
  return /^\d{1,12}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/** "512", "512m", "2g" or "1t" in MiB. */
export function mib(text: string): number | undefined {
  const found = /^(\d{1,9})\s*([mgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!found) return undefined;
  const units: Record<string, number> = { '': 1, m: 1, g: 1024, t: 1024 * 1024 };
  return Number(found[1]) * (units[(found[2] ?? '').toLowerCase()] ?? 1);
}

/** What would come of it, a sentence each, and whether that is good. */
export function sentences(foreseen: Foreseen): { text: string; good: boolean }[] {
  const said: { text: string; good: boolean }[] = [];
  for (const moved of foreseen.Moved ?? []) {
    const good = moved.Unplaced <= moved.UnplacedBefore;
    const move = moved.Displaced > 0 ? `${plural(moved.Displaced, 'instance')} must move` : 'waited for room';
    const rest = moved.Unplaced === 0 ? 'all have a place' : `${moved.Unplaced} would wait for room`;
    said.push({ text: `${moved.JobID}, group ${moved.Group}: ${move}, ${rest}`, good });
  }
  if (foreseen.Ask) {
    const { Placed, Wanted } = foreseen.Ask;
    said.push({ text: `${Placed} of ${plural(Wanted, 'instance')} would be placed`, good: Placed >= Wanted });
  }
  if (foreseen.Room) {
    const { Instances, IsLimit, EndsFirst } = foreseen.Room;
    const first = EndsFirst ? `; what ends first: ${EndsFirst}` : '';
    said.push({ text: `room for ${Instances}${IsLimit ? ' or more' : ''} in all${first}`, good: Instances > 0 });
  }
  if (said.length === 0) said.push({ text: 'nothing would move, and nobody waits for room', good: true });
  return said;
}

/** The same in a terminal. */
export function words(request: WhatIf, name: (node: string) => string): string {
  const parts = ['sched capacity'];
  const count = (count: number | undefined) => (count === undefined ? '' : ` count=${count}`);
  if (request.Ask)
    parts.push(`--what-if 'cpu=${request.Ask.CPU} mem=${request.Ask.MemoryMB}${count(request.Ask.Count)}'`);
  for (const added of request.NodesAdded ?? [])
    parts.push(`--node-add 'cpu=${added.CPU} mem=${added.MemoryMB}${count(added.Count)}'`);
  for (const removed of request.NodesRemoved ?? []) parts.push(`--node-remove ${name(removed)}`);
  return parts.join(' ');
}
