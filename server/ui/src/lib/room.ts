// What `/v1/capacity` is asked and answers, as far as the UI reads it.
import type { Amounts } from './model';

/** What there is, per datacenter, pool and class. */
export interface CapacityOverview {
  Index: number;
  Shares: CapacityShare[];
}

export interface CapacityShare {
  Datacenter: string;
  NodePool: string;
  NodeClass: string;
  Nodes: number;
  Open: number;
  Total: Amounts;
  Held: Amounts;
  Free: Amounts;
  LargestMemory: { NodeName: string; Ask: Amounts } | null;
  LargestCPU: { NodeName: string; Ask: Amounts } | null;
}

/** What is asked of /v1/capacity. */
export interface WhatIf {
  Ask?: AskAmounts;
  NodesAdded?: NodeAmounts[];
  NodesRemoved?: string[];
}

/** MHz and MiB, and where; what is left out is not asked for. */
export interface AskAmounts {
  CPU?: number;
  MemoryMB?: number;
  MemoryMaxMB?: number;
  DiskMB?: number;
  Cores?: number;
  Device?: string;
  DeviceCount?: number;
  Driver?: string;
  Datacenter?: string;
  NodePool?: string;
  NodeClass?: string;
  Count?: number;
}

/** New nodes: as large as this, or like one that there is. */
export interface NodeAmounts {
  CPU?: number;
  MemoryMB?: number;
  DiskMB?: number;
  Datacenter?: string;
  NodePool?: string;
  NodeClass?: string;
  Like?: string;
  Count?: number;
}

/** What would come of it. */
export interface Foreseen {
  NodesAdded: string[];
  Moved: {
    JobID: string;
    Namespace: string;
    Group: string;
    Displaced: number;
    UnplacedBefore: number;
    Unplaced: number;
  }[];
  Ask: { Wanted: number; Placed: number } | null;
  Room: { Instances: number; IsLimit: boolean; Nodes: Record<string, number>; EndsFirst: string | null } | null;
}
