// The "what if" of the capacity page: from what people type to a request, and from the answer to sentences.
import { plural } from './format';
import type { AskAmounts, Foreseen, NodeAmounts, WhatIf } from './room';

/** What stands in the form, as typed. `more` is in the words of the command line: disk=1g pool=gpu. */
export interface Draft {
  cpu: string;
  memory: string;
  count: string;
  more: string;
  addCpu: string;
  addMemory: string;
  addCount: string;
  addMore: string;
  remove: string[];
}

export const EMPTY: Draft = {
  cpu: '',
  memory: '',
  count: '',
  more: '',
  addCpu: '',
  addMemory: '',
  addCount: '1',
  addMore: '',
  remove: [],
};

type Kind = 'number' | 'memory' | 'text' | 'device';
type Words = Record<string, [string, Kind]>;

/** The words of the command line, each with the field that it fills. */
const COMMON: Words = {
  cpu: ['CPU', 'number'],
  mem: ['MemoryMB', 'memory'],
  memory: ['MemoryMB', 'memory'],
  disk: ['DiskMB', 'memory'],
  dc: ['Datacenter', 'text'],
  datacenter: ['Datacenter', 'text'],
  pool: ['NodePool', 'text'],
  class: ['NodeClass', 'text'],
  count: ['Count', 'number'],
};
const OF_ASKS: Words = {
  ...COMMON,
  memory_max: ['MemoryMaxMB', 'memory'],
  cores: ['Cores', 'number'],
  device: ['Device', 'device'],
  driver: ['Driver', 'text'],
};
const OF_NODES: Words = { ...COMMON, like: ['Like', 'text'] };

/** The request, or what is wrong with the form. */
export function whatIf(draft: Draft): { request: WhatIf } | { wrong: string } {
  const request: WhatIf = {};
  try {
    const ask = amounts<AskAmounts>(OF_ASKS, { cpu: draft.cpu, mem: draft.memory, count: draft.count }, draft.more);
    if (Object.keys(ask).some((field) => field !== 'Count')) request.Ask = ask;
    const size = { cpu: draft.addCpu, mem: draft.addMemory, count: draft.addCount };
    const added = amounts<NodeAmounts>(OF_NODES, size, draft.addMore);
    const isNamed = Object.keys(added).some((field) => field !== 'Count');
    if (isNamed && added.Like === undefined && (added.CPU === undefined || added.MemoryMB === undefined))
      return { wrong: 'new nodes need CPU in MHz and memory such as 16g, or like= with a node that there is' };
    if (isNamed) request.NodesAdded = [added];
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (draft.remove.length > 0) request.NodesRemoved = draft.remove;
  if (Object.keys(request).length === 0) return { wrong: 'say what to place, to add or to take away' };
  return { request };
}

/** What fields and words say together. Throws what is wrong with one. */
function amounts<T extends object>(known: Words, typed: Record<string, string>, more: string): T {
  const found: Record<string, string | number> = {};
  const words = more.split(/[\s,]+/).filter((word) => word !== '');
  const pairs = words.map((word): [string, string] => {
    const at = word.indexOf('=');
    if (at < 1) throw new Error(`“${word}” is no name=value; known are ${Object.keys(known).join(', ')}`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
  // How many has a field that is filled from the start.
  const filled = Object.entries(typed).filter(
    ([name, text]) => text.trim() !== '' && !(name === 'count' && pairs.some(([other]) => other === 'count')),
  );
  for (const [name, text] of [...filled, ...pairs]) {
    const [field, kind] = known[name] ?? [];
    if (field === undefined) throw new Error(`nobody knows “${name}”; known are ${Object.keys(known).join(', ')}`);
    if (field in found) throw new Error(`${name} is given twice`);
    if (kind === 'device') {
      const [device, count] = text.split(':');
      found[field] = device ?? '';
      if (count !== undefined) found.DeviceCount = amount(name, count, whole(count), 'a whole number');
    } else if (kind === 'memory') found[field] = amount(name, text, mib(text), 'an amount such as 512m or 2g');
    else if (kind === 'number') found[field] = amount(name, text, whole(text), 'a whole number');
    else found[field] = text;
  }
  return found as T;
}

function amount(name: string, text: string, value: number | undefined, wanted: string): number {
  if (value === undefined) throw new Error(`${name} is ${wanted}, not “${text}”`);
  return value;
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
  if (request.Ask) parts.push(`--what-if '${typed(OF_ASKS, request.Ask)}'`);
  for (const added of request.NodesAdded ?? []) parts.push(`--node-add '${typed(OF_NODES, added)}'`);
  for (const removed of request.NodesRemoved ?? []) parts.push(`--node-remove ${name(removed)}`);
  return parts.join(' ');
}

function typed(known: Words, amounts: AskAmounts | NodeAmounts): string {
  const fields = amounts as Record<string, string | number | undefined>;
  const said = new Set<string>();
  const word = ([name, [field, kind]]: [string, [string, Kind]]) => {
    const value = fields[field];
    if (value === undefined || said.has(field)) return [];
    said.add(field);
    const count = kind === 'device' && fields.DeviceCount !== undefined ? `:${fields.DeviceCount}` : '';
    return [`${name}=${value}${count}`];
  };
  return Object.entries(known).flatMap(word).join(' ');
}
