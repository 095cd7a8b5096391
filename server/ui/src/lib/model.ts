// What the API answers, as far as the UI reads it. Names are the wire's; what a server may leave out is optional.

export type ClientStatus = 'pending' | 'running' | 'complete' | 'failed' | 'lost' | 'unknown';
export type DesiredStatus = 'run' | 'stop' | 'evict';

/** A row of /v1/jobs/statuses. */
export interface JobRow {
  ID: string;
  Namespace: string;
  Name: string;
  Type: string;
  Priority: number;
  Version: number;
  Status?: string;
  Stop?: boolean;
  SubmitTime: number;
  ModifyIndex: number;
  GroupCountSum: number;
  Allocs: JobRowAllocation[] | null;
  LatestDeployment?: {
    ID: string;
    IsActive: boolean;
    JobVersion: number;
    Status: string;
    StatusDescription?: string;
  } | null;
}

export interface JobRowAllocation {
  ID: string;
  Group: string;
  ClientStatus: ClientStatus;
  NodeID: string;
  JobVersion: number;
  DeploymentStatus?: { Canary?: boolean; Healthy?: boolean | null } | null;
  FollowupEvalID?: string;
}

/** The job's document: what people send, with defaults filled in. */
export interface Job {
  ID: string;
  Name: string;
  Namespace: string;
  Type: string;
  Priority: number;
  Datacenters?: string[] | null;
  NodePool?: string;
  Status?: string;
  StatusDescription?: string;
  Stop?: boolean;
  Stable?: boolean;
  Version: number;
  SubmitTime: number;
  CreateIndex: number;
  ModifyIndex: number;
  JobModifyIndex: number;
  TaskGroups: Group[] | null;
}

export interface Group {
  Name: string;
  Count: number;
  Services?: ServiceBlock[] | null;
  Tasks: Task[] | null;
}

export interface Task {
  Name: string;
  Driver: string;
  Config?: Record<string, unknown> | null;
  Resources?: { CPU?: number; MemoryMB?: number; MemoryMaxMB?: number } | null;
  Services?: ServiceBlock[] | null;
}

export interface ServiceBlock {
  Name: string;
  PortLabel?: string;
  Tags?: string[] | null;
  Checks?: { Name?: string; Type: string; Path?: string }[] | null;
}

/** An allocation; the list's stub has the same names and no AllocatedResources. */
export interface Allocation {
  ID: string;
  Namespace: string;
  Name: string;
  EvalID?: string;
  NodeID: string;
  NodeName?: string;
  JobID: string;
  JobType?: string;
  JobVersion?: number;
  Job?: Job | null;
  TaskGroup: string;
  DesiredStatus: DesiredStatus;
  DesiredDescription?: string;
  ClientStatus: ClientStatus;
  ClientDescription?: string;
  TaskStates?: Record<string, TaskState> | null;
  DeploymentID?: string;
  DeploymentStatus?: { Healthy?: boolean | null; Canary?: boolean; Timestamp?: string } | null;
  PreviousAllocation?: string;
  NextAllocation?: string;
  PreemptedByAllocation?: string | null;
  PreemptedAllocations?: string[] | null;
  FollowupEvalID?: string;
  AllocatedResources?: {
    Tasks?: Record<
      string,
      { Cpu?: { CpuShares?: number }; Memory?: { MemoryMB?: number; MemoryMaxMB?: number } }
    > | null;
    Shared?: { DiskMB?: number; Ports?: Port[] | null } | null;
  } | null;
  CreateIndex: number;
  ModifyIndex: number;
  CreateTime: number;
  ModifyTime: number;
}

export interface Port {
  Label: string;
  Value: number;
  To?: number;
  HostIP?: string;
}

export interface TaskState {
  State: string;
  Failed?: boolean;
  Restarts?: number;
  StartedAt?: string | null;
  FinishedAt?: string | null;
  Events?: TaskEvent[] | null;
}

export interface TaskEvent {
  Type: string;
  Time: number;
  DisplayMessage?: string;
  Message?: string;
  Details?: Record<string, string> | null;
  ExitCode?: number;
}

export interface Evaluation {
  ID: string;
  Namespace?: string;
  Type: string;
  Priority: number;
  TriggeredBy: string;
  JobID?: string;
  NodeID?: string;
  DeploymentID?: string;
  Status: string;
  StatusDescription?: string;
  FailedTGAllocs?: Record<string, unknown> | null;
  CreateIndex: number;
  ModifyIndex: number;
  CreateTime: number;
  ModifyTime: number;
}

export interface Deployment {
  ID: string;
  Namespace: string;
  JobID: string;
  JobVersion: number;
  TaskGroups: Record<string, DeploymentGroup> | null;
  Status: string;
  StatusDescription?: string;
  CreateIndex: number;
  ModifyIndex: number;
  CreateTime?: number;
  ModifyTime?: number;
}

export interface DeploymentGroup {
  AutoRevert?: boolean;
  Promoted?: boolean;
  PlacedCanaries?: string[] | null;
  DesiredCanaries?: number;
  DesiredTotal?: number;
  PlacedAllocs?: number;
  HealthyAllocs?: number;
  UnhealthyAllocs?: number;
  RequireProgressBy?: string | null;
}

export interface NodeDocument {
  ID: string;
  Name: string;
  Datacenter: string;
  NodePool?: string;
  NodeClass?: string;
  HTTPAddr?: string;
  Attributes?: Record<string, string> | null;
  Meta?: Record<string, string> | null;
  Drain?: boolean;
  DrainStrategy?: { Deadline: number; ForceDeadline?: string } | null;
  SchedulingEligibility: string;
  Status: string;
  StatusDescription?: string;
  Events?: { Message: string; Subsystem: string; Timestamp: string }[] | null;
  Drivers?: Record<string, { Detected: boolean; Healthy: boolean; HealthDescription?: string }> | null;
  LastDrain?: { Status: string; StartedAt: string; UpdatedAt: string } | null;
}

/** A row of /v1/nodes/usage: what the placement map draws. */
export interface NodeUsage {
  ID: string;
  Name: string;
  Datacenter: string;
  Pool: string;
  Status: string;
  Eligibility: string;
  Drain: boolean;
  Total: Vector;
  Reserved: Vector;
  Used: Vector | null;
  Allocations: AllocationUsage[];
}

export interface Vector {
  CPU: number;
  MemoryMB: number;
  /** The sum of memory_max, and of a total what that may reach; nothing of what is measured. */
  MemoryMaxMB?: number;
}

export interface AllocationUsage {
  ID: string;
  Name: string;
  JobID: string;
  Namespace: string;
  TaskGroup: string;
  ClientStatus: ClientStatus;
  CPU: number;
  MemoryMB: number;
  UsedMemoryMB: number | null;
  UsedCPU: number | null;
}

export interface DrainStatus {
  NodeID: string;
  Name: string;
  Status: 'draining' | 'complete' | 'canceled' | 'none';
  Deadline: number | null;
  Total: number;
  Gone: number;
  Allocations: { ID: string; Name: string; State: string; Detail: string }[];
}

/** What a rebalance is for; to empty one, a node must be named. */
export type RebalanceGoal = 'spread' | 'pack' | 'empty';

export interface RebalanceAsk {
  Goal: RebalanceGoal;
  NodeID?: string;
}

export interface RebalanceMove {
  AllocID: string;
  Name: string;
  From: string;
  To: string;
  Gain: string;
  State: 'waiting' | 'moving' | 'done' | 'skipped' | 'failed';
  Detail: string;
}

/** How well balanced the cluster is; the smaller the better, save for the emptiest node. */
export interface Balance {
  OutOfPlace: number;
  Crowded: number;
  NodesUsed: number;
  FullestPercent: number;
  EmptiestPercent: number;
}

export interface RebalancePlan {
  CheckIndex: number;
  Moves: RebalanceMove[];
  Before: Balance;
  After: Balance;
  KeptBack: { JobID: string; Namespace: string; Count: number; Reason: string }[];
}

/** The rebalance that runs, or the last one; of `none` there is only the status. */
export interface Rebalance {
  Status: 'none' | 'running' | 'cancelling' | 'aborting' | 'complete' | 'cancelled' | 'aborted';
  Description?: string;
  Total: number;
  Over: number;
  Moves?: RebalanceMove[];
}

export interface Why {
  JobID: string;
  Namespace: string;
  JobVersion: number;
  Index: number;
  Groups: WhyGroup[];
}

export interface WhyGroup {
  Group: string;
  Desired: number;
  Running: number;
  Unplaced: number;
  BlockedEval: string | null;
  BlockedSince: number | null;
  BlockedCause?: string | null;
  BlockedTriedAt?: number | null;
  BlockedTriedAfter?: string | null;
  Waits?: Wait[];
  Ask: {
    CPU: number;
    MemoryMB: number;
    MemoryMaxMB?: number;
    DiskMB?: number;
    Cores?: number;
    Devices?: Record<string, number>;
  };
  NodesTotal: number;
  NodesFiltered: number;
  NodesExhausted: number;
  NodesFit: number;
  Reasons: { Reason: string; Nodes: number; Filter: boolean }[];
  Nodes: WhyNode[];
  Hints: string[];
}

export interface WhyNode {
  ID: string;
  Name: string;
  Fits: boolean;
  Reasons: string[];
  Score?: Score | null;
  /** From 1; equals share one. */
  Rank?: number | null;
}

/** What a node is worth to an instance: larger is better, and the parts are added. */
export interface Score {
  Total: number;
  Parts: Record<string, number>;
}

/** What a group waits for, apart from room; fields that say nothing about its kind are left out. */
export interface Wait {
  Kind: 'all-at-once' | 'promotion' | 'canaries' | 'paused' | 'rollout' | 'ended' | 'retry' | 'given-up';
  /** The groups that lack room. */
  Groups?: string[];
  DeploymentID?: string;
  AllocID?: string;
  Name?: string;
  /** Nanoseconds since 1970. */
  Until?: number;
  Healthy?: number;
  Wanted?: number;
}

/** One node looked at for one job. */
export interface JobOnNode {
  NodeID: string;
  NodeName: string;
  JobID: string;
  Namespace: string;
  Groups: GroupOnNode[];
}

export interface GroupOnNode {
  Group: string;
  Instances: string[];
  Fits: boolean;
  Checks: { Name: string; Ok: boolean; Wanted: string; Has: string; Reason: string }[];
  Score: Score | null;
  Rank: number | null;
  NodesFit: number;
  Best: { NodeID: string; NodeName: string; Score: Score } | null;
}

/** One node looked at alone. */
export interface NodeAlone {
  NodeID: string;
  NodeName: string;
  Open: boolean;
  Closed: string[];
  Free: Amounts;
  Blocked: {
    JobID: string;
    Namespace: string;
    Group: string;
    Unplaced: number;
    Fits: boolean;
    Reasons: string[];
  }[];
  BlockedTotal: number;
}

/** MHz and MiB. */
export interface Amounts {
  CPU: number;
  MemoryMB: number;
  MemoryMaxMB: number;
  DiskMB: number;
}

export interface ServiceNames {
  Namespace: string;
  Services: { ServiceName: string; Tags: string[] | null }[];
}

export interface Registration {
  ID: string;
  ServiceName: string;
  Namespace: string;
  NodeID: string;
  Datacenter: string;
  JobID: string;
  AllocID: string;
  Tags: string[] | null;
  Address: string;
  Port: number;
}

export interface Check {
  ID?: string;
  Check?: string;
  Service?: string;
  Task?: string;
  Group?: string;
  Mode?: string;
  Status: string;
  StatusCode?: number;
  Output?: string;
  Timestamp?: number;
}

export interface Usage {
  MemoryStats?: { RSS?: number; Usage?: number; MaxUsage?: number } | null;
  CpuStats?: { Percent?: number; TotalTicks?: number } | null;
}

export interface AllocationStats {
  ResourceUsage?: Usage | null;
  Tasks?: Record<string, { ResourceUsage?: Usage | null; Timestamp?: number }> | null;
  Timestamp?: number;
}

export interface Members {
  ServerName: string;
  ServerRegion: string;
  ServerDC: string;
  Members: Member[];
}

export interface Member {
  Name: string;
  Addr: string;
  Port: number;
  Status: string;
  Tags?: Record<string, string> | null;
}

export interface RaftConfiguration {
  Index?: number;
  Servers: { ID: string; Node: string; Address: string; Leader: boolean; Voter: boolean; RaftProtocol?: string }[];
}

export interface StreamEvent {
  Topic: string;
  Type: string;
  Key: string;
  Namespace?: string;
  FilterKeys?: string[] | null;
  Index: number;
  Payload?: Record<string, unknown> | null;
}
