// What `PUT /v1/job/{id}/plan` and its neighbours answer, as far as the UI reads it.

/** What running a job would do. */
export interface Plan {
  Annotations: { DesiredTGUpdates: Record<string, Updates> };
  FailedTGAllocs: Record<string, Metric>;
  JobModifyIndex: number;
  Diff?: JobDiff | null;
  Warnings: string;
  Placements: { Name: string; TaskGroup: string; NodeName: string; NodeID: string }[];
  Preemptions: { AllocID: string; Name: string; NodeName: string; By: string }[];
}

/** How many instances of a group would be treated how. */
export interface Updates {
  Ignore: number;
  Place: number;
  Migrate: number;
  Stop: number;
  InPlaceUpdate: number;
  DestructiveUpdate: number;
  Canary: number;
  Preemptions: number;
}

/** Why instances of a group found no node, in counts of nodes. */
export interface Metric {
  NodesEvaluated: number;
  NodesFiltered: number;
  NodesExhausted: number;
  ConstraintFiltered?: Record<string, number> | null;
  DimensionExhausted?: Record<string, number> | null;
  CoalescedFailures: number;
}

export type ChangeType = 'None' | 'Added' | 'Deleted' | 'Edited';

export interface FieldDiff {
  Type: ChangeType;
  Name: string;
  Old: string;
  New: string;
  Annotations?: string[] | null;
}

export interface ObjectDiff {
  Type: ChangeType;
  Name: string;
  Fields?: FieldDiff[] | null;
  Objects?: ObjectDiff[] | null;
}

export interface TaskDiff extends ObjectDiff {
  Annotations?: string[] | null;
}

export interface GroupDiff extends ObjectDiff {
  Tasks?: TaskDiff[] | null;
}

/** The difference between two versions of a job. */
export interface JobDiff extends Omit<ObjectDiff, 'Name'> {
  ID: string;
  TaskGroups?: GroupDiff[] | null;
}

/** The text that a job was run from. */
export interface Submission {
  Source: string;
  Format: string;
  VariableFlags?: Record<string, string> | null;
  Variables?: string;
}
