import type { Means } from '@tutti/checkpoint';
import type { JobPlan, ProgramDescription } from '@tutti/protocol';
import type { TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { JobSettings } from '../plan/plan.js';
import type { ProgressState } from '../progress/progress.js';
import type { BestState } from '../progress/steering.js';
import type { StepRecord } from '../step/step-record.js';

/** Everything that a run needs to go on. */
export interface Snapshot {
  readonly job: string;
  readonly plan: JobPlan;
  /** The version of the weights. */
  readonly step: number;
  readonly flat: Float32Array;
  /** The optimizer's state, each as long as `flat`. */
  readonly slots: readonly Float32Array[];
  /** Floats of each server's range. */
  readonly ranges: readonly number[];
  readonly progress?: ProgressState;
  /** What the run would end with, if it is of an earlier version. */
  readonly best?: BestState;
  /** That of just these weights. */
  readonly evaluation?: Means;
  /** Versions of libraries. */
  readonly versions: Readonly<Record<string, string>>;
}

export type CheckpointInterval = { readonly steps: number } | { readonly ms: number };

/** Where checkpoints go. */
export interface CheckpointSink {
  /** How often during the run; only at its end if not given. */
  readonly every?: CheckpointInterval;
  /** An evaluation that is better by this (`loss`, or a metric) makes a checkpoint due. */
  readonly best?: string;
  /**
   * Returns where it is, and why it is not where it was to be. The memory of the vectors passes to the sink, except at the end of a run:
   * then it must stay as it is. That last one is not given up for a full disk: it may go elsewhere.
   * @throws TuttiError STORAGE
   */
  write(
    snapshot: Snapshot,
    last: boolean,
    emit: (event: RunEvent) => void,
  ): Promise<{ readonly path: string; readonly unsaved?: TuttiError }>;
  /**
   * The run that is written from now on. What it goes on from tells where it belongs. Returns the
   * folder of the run, where it has one.
   * @throws TuttiError FOLDER_IN_USE
   */
  begin?(run: {
    readonly job: string;
    readonly plan: JobPlan;
    readonly from: string | undefined;
    /** Where its workers reach it, if their processes hold the weights. */
    readonly coordinator?: string;
  }): Promise<string | undefined>;
  /**
   * The job of a program that another coordinator at this address had begun when it was killed, and whose
   * weights the processes of its workers may still hold.
   */
  unfinished?(request: {
    readonly programName: string;
    readonly programHash: string;
    readonly coordinator: string;
  }): Promise<Unfinished | undefined>;
  /** The newest good checkpoint of a job that has no more steps than `upTo`. */
  latest?(request: {
    readonly job: string;
    readonly plan: JobPlan;
    readonly upTo: number;
    readonly emit: (event: RunEvent) => void;
  }): Promise<ResumePoint | undefined>;
  /** Remembers a step of a run that keeps checkpoints in between. Rejects if it cannot. */
  record?(programName: string, record: StepRecord): Promise<void>;
  close?(): Promise<void>;
}

/** A job whose coordinator was killed. */
export interface Unfinished {
  readonly job: string;
  /** Nobody has come back: nothing tells of it any more. */
  forget(): Promise<void>;
}

/**
 * The state that a run starts from instead of the program's initial values: of a checkpoint of its own,
 * or at step 0 the weights of another run.
 */
export interface ResumePoint extends Pick<Snapshot, 'plan' | 'step' | 'flat' | 'slots'> {
  /** The job to go on as; undefined if the plan is another one by now (longer, say). */
  readonly job: string | undefined;
  readonly progress?: ProgressState;
  readonly best?: BestState;
  readonly path: string;
}

/** The checkpoint of its own that a run goes on from; undefined for one that begins. */
export function ownCheckpoint(point: ResumePoint | undefined): string | undefined {
  return point === undefined || point.step === 0 ? undefined : point.path;
}

/**
 * Finds what a run starts from, and the plan of that run; undefined if the run is to begin
 * from the start because nothing was written yet. Throws BAD_CHECKPOINT.
 */
export type Resume = (request: {
  readonly description: ProgramDescription;
  readonly settings: JobSettings;
  readonly workers: number;
  /** How many share the parameters, 1 if not given. */
  readonly servers?: number;
  readonly emit: (event: RunEvent) => void;
}) => Promise<ResumePoint | undefined>;
