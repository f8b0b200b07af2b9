import type { ErrorCode, ErrorRecord, TuttiError } from '@tutti/runtime';

/**
 * What a training run tells while it runs. Scripts read these names from `tutti train --json`, so
 * they only ever gain fields.
 *
 * Conventions: `step` counts the steps that are done (the last one equals `steps` of `started`),
 * `epoch` counts from 1, losses are means over examples, metrics are over all examples too
 * (`metrics.accuracy`), times are in milliseconds.
 */
export type RunEvent =
  | ListeningEvent
  | StartedEvent
  | WeightsEvent
  | StepEvent
  | EpochEvent
  | LearningRateEvent
  | EarlyStopEvent
  | WorkerJoinedEvent
  | WorkerLeftEvent
  | WorkerRestartedEvent
  | WorkerExcludedEvent
  | ServerCaughtUpEvent
  | WaitingEvent
  | CheckpointEvent
  | WarningEvent
  | FinishedEvent
  | FailedEvent;

export type Hyperparameters = Readonly<Record<string, number | string | boolean>>;

export type Metrics = Readonly<Record<string, number>>;

/** Where the coordinator of a run with processes can be reached: by `tutti status` and more workers. */
export interface ListeningEvent {
  readonly event: 'listening';
  readonly address: string;
}

/** Everyone who is needed is there, and step 1 begins. */
export interface StartedEvent {
  readonly event: 'started';
  readonly job: string;
  readonly workers: number;
  readonly servers: number;
  readonly shards: number;
  /** Steps in the whole run. */
  readonly steps: number;
  /** Epochs in the whole run; the last may be cut short by `--steps`. */
  readonly epochs?: number;
  /** Floats that the servers hold. */
  readonly storedParameters: number;
  readonly program?: string;
  /** What decides the result besides program and data. */
  readonly hyperparameters?: Hyperparameters;
  /** How many examples there are. */
  readonly dataset?: { readonly training: number; readonly evaluation: number };
  /** Where the run writes: its checkpoints, and its events. */
  readonly folder?: string;
  /** The checkpoint that the run goes on from. */
  readonly resumed?: { readonly step: number; readonly path: string };
  /** What a new run begins with: the weights of another, and their digest. */
  readonly from?: { readonly path: string; readonly digest: string };
}

/** What the model reads, and what of it is stored: told where somebody looks, with --dashboard. */
export interface WeightsEvent {
  readonly event: 'weights';
  /** Elements that the model reads. */
  readonly elements: number;
  /** Floats that the servers hold of them. */
  readonly stored: number;
  readonly weights: readonly {
    readonly weight: string;
    readonly shape: readonly number[];
    /** The kind of sharing; `none` for a weight that is stored as it is. */
    readonly kind: string;
    readonly elements: number;
    /** Stored values that it reads and no weight before it does. */
    readonly own: number;
  }[];
}

export interface StepEvent {
  readonly event: 'step';
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly metrics: Metrics;
  /** Examples trained on since the start of the run. */
  readonly examples: number;
  /** Over the last few steps. */
  readonly examplesPerSecond: number;
  readonly stepMs: number;
}

export interface EpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly step: number;
  /** Mean over the epoch's training examples, each seen with the weights of its own step. */
  readonly loss: number;
  readonly metrics: Metrics;
  readonly evaluation?: EvaluationNumbers;
}

/** Means over the evaluation set, all with the same weights. */
export interface EvaluationNumbers {
  readonly loss: number;
  readonly metrics: Metrics;
}

/** The evaluation became no better (`reduceOnPlateau`): the learning rate is less from now on. */
export interface LearningRateEvent {
  readonly event: 'learning-rate';
  readonly step: number;
  readonly epoch: number;
  /** What the learning rate, or its schedule, is multiplied with. */
  readonly factor: number;
}

/** The evaluation became no better (`earlyStopping`): the run ends before its last epoch. */
export interface EarlyStopEvent {
  readonly event: 'early-stop';
  readonly step: number;
  readonly epoch: number;
  /** What was watched. */
  readonly monitor: string;
  /** The weights that it ends with; the last ones, if absent. */
  readonly best?: { readonly step: number } & EvaluationNumbers;
}

export interface WorkerJoinedEvent {
  readonly event: 'worker-joined';
  readonly worker: string;
  /** Workers in the run, this one included. */
  readonly workers: number;
}

export interface WorkerLeftEvent {
  readonly event: 'worker-left';
  readonly worker: string;
  readonly reason: string;
  /** It said goodbye; else it was lost or dropped. */
  readonly politely: boolean;
  /** Workers that remain. */
  readonly workers: number;
}

/** A worker process that died or hung is replaced by another of the same name. */
export interface WorkerRestartedEvent {
  readonly event: 'worker-restarted';
  readonly worker: string;
  readonly reason: string;
  /** Replacements so far, this one included. */
  readonly restarts: number;
  readonly maxRestarts: number;
}

/** Its gradients were found wrong by --verify: it is sent away. A warning says the same in words. */
export interface WorkerExcludedEvent {
  readonly event: 'worker-excluded';
  readonly worker: string;
  /** The step, from 0, in which it was found; it is computed again without the worker. */
  readonly step: number;
  readonly shards: readonly number[];
  readonly hostname: string;
  readonly pid: number;
}

/** A server was given what others of its range hold, in place of one that was lost: it stands by for them. */
export interface ServerCaughtUpEvent {
  readonly event: 'server-caught-up';
  /** Where workers reach it. */
  readonly address: string;
  /** The steps that were done by then. */
  readonly step: number;
  /** How long the training waited for it. */
  readonly ms: number;
}

/** The run stands still. Repeated while it does. */
export interface WaitingEvent {
  readonly event: 'waiting';
  /** Who waits; the coordinator if absent. */
  readonly by?: string;
  readonly who: string;
  readonly what: string;
  /** How long it has been waiting. */
  readonly sinceMs: number;
  readonly remedy: string;
}

export interface CheckpointEvent {
  readonly event: 'checkpoint';
  readonly step: number;
  readonly path: string;
}

export interface WarningEvent {
  readonly event: 'warning';
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** An error that the run goes on after, as an event. */
export function warningOf(
  { code, message, remedy }: Pick<TuttiError, 'code' | 'message' | 'remedy'>,
  text = message,
): WarningEvent {
  return { event: 'warning', code, message: text, remedy };
}

/** What a reader of data passed over, or what is likely not meant, as an event. */
export function noticeEvent({
  message,
  remedy,
}: Pick<WarningEvent, 'message' | 'remedy'>): WarningEvent {
  return { event: 'warning', code: 'BAD_DATA', message, remedy };
}

/** The last event of a run that went well. */
export interface FinishedEvent {
  readonly event: 'finished';
  readonly steps: number;
  readonly examples: number;
  /** It is that of the final evaluation if there is one, else of the last epoch of training. */
  readonly loss: number;
  readonly metrics: Metrics;
  /** SHA-256 over the float32 bytes of the stored parameters, in declared order. */
  readonly digest: string;
  readonly examplesPerSecond: number;
  readonly wireBytesPerStep: number;
  readonly storedParameters: number;
  /** Where the trained model lies; null if it was not to be saved. */
  readonly modelPath: string | null;
}

/** The last event of a run that did not go well. */
export interface FailedEvent {
  readonly event: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The event for an error record; the stack stays behind, it belongs into the log. */
export function failedEvent(record: ErrorRecord): FailedEvent {
  const { code, message, remedy, details } = record;
  return { event: 'failed', code, message, remedy, details };
}
