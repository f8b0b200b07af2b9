import type { JobPhase, ServerStatus, WaitStatus } from '@tutti/protocol';

/** What the page shows of a run: plain JSON. Times are milliseconds since 1970, durations milliseconds. */
export interface View {
  /** When it was made. */
  readonly now: number;
  readonly program: string | null;
  readonly job: string | null;
  /** Where the run writes. */
  readonly folder: string | null;
  readonly phase: RunPhase;
  /** Nothing more will come. */
  readonly over: boolean;
  /** When the first step began; null before. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** An estimate of what is to come. */
  readonly leftMs: number | null;
  /** Steps that are done, and those of the whole run; 0 until they are known. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number | null;
  readonly metrics: Numbers;
  readonly examplesPerSecond: number | null;
  readonly examples: number;
  readonly wireBytesPerStep: number | null;
  readonly shards: number;
  readonly storedParameters: number;
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  readonly dataset: { readonly training: number; readonly evaluation: number } | null;
  /** How many workers the run starts with, where that is known. */
  readonly startsWith: number | null;
  readonly workers: readonly WorkerView[];
  readonly servers: readonly ServerStatus[];
  readonly waits: readonly WaitView[];
  /** The last of them, of the quiet ones as many as there is room for. */
  readonly marks: readonly Mark[];
  /** How often something was lost since the run began. */
  readonly faults: number;
  readonly epochsDone: readonly EpochView[];
  readonly weights: WeightsView | null;
  readonly result: ResultView | null;
  readonly failure: FailureView | null;
  /** The coordinator that is asked, and since when it has not answered. */
  readonly coordinator: { readonly address: string; readonly silentSince: number | null } | null;
}

export type Numbers = Readonly<Record<string, number | null>>;

/** `cut off`: its events end without an end. */
export type RunPhase = JobPhase | 'starting' | 'finished' | 'failed' | 'stopped' | 'cut off';

export interface WorkerView {
  readonly name: string;
  readonly here: boolean;
  /** When it took part; the last may be without an end. */
  readonly spans: readonly { readonly from: number; readonly to: number | null }[];
  readonly host?: string;
  readonly pid?: number;
  readonly shards?: readonly number[];
  readonly examplesPerSecond?: number;
  readonly heardMs?: number;
  readonly awaited?: string;
}

export interface WaitView extends WaitStatus {
  /** Who waits; the coordinator if absent. */
  readonly by?: string;
}

/** Something that happened, for the time line and the list below it. */
export interface Mark {
  readonly id: number;
  readonly at: number;
  /** Steps that were done by then. */
  readonly step: number;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
}

/** `fault`: something was lost; `recovery`: it was made good; `wait`: the run stands still. */
export type Tone = 'fault' | 'recovery' | 'wait' | 'note' | 'quiet';

export interface EpochView {
  readonly epoch: number;
  readonly step: number;
  readonly at: number;
  readonly loss: number | null;
  readonly metrics: Numbers;
  readonly evaluation: { readonly loss: number | null; readonly metrics: Numbers } | null;
}

export interface WeightsView {
  readonly elements: number;
  readonly stored: number;
  readonly rows: readonly {
    readonly weight: string;
    readonly shape: readonly number[];
    readonly kind: string;
    readonly elements: number;
    readonly own: number;
  }[];
}

export interface ResultView {
  readonly digest: string;
  readonly loss: number | null;
  readonly metrics: Numbers;
  readonly modelPath: string | null;
  readonly loading: readonly string[];
}

export interface FailureView {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * What a page is sent: the view, and the points of the curves from `start` on, which replace those that
 * it has from there. With another revision it forgets those before, too.
 */
export interface Update {
  readonly view: View;
  readonly curves: Curves;
}

export interface Curves {
  readonly revision: number;
  /** Names of the metrics, in the order in which points have them. */
  readonly metrics: readonly string[];
  /** How many steps a point stands for: it is their mean. */
  readonly span: number;
  readonly start: number;
  readonly points: readonly Point[];
}

/** [step, at, loss, examples/s, ms of a step, ...metrics]; null is what is no finite number. */
export type Point = readonly (number | null)[];
