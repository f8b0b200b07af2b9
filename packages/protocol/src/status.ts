/** What a coordinator says of its job to whoever asks; times are durations, in milliseconds. */
export interface JobStatus {
  readonly job: string;
  /** Absent until a worker has described it, or the servers have. */
  readonly program?: string;
  readonly phase: JobPhase;
  /** Since the coordinator started. */
  readonly runningMs: number;
  /** Steps that are done. */
  readonly step: number;
  /** Steps of the whole job; 0 until its plan is known, as all that follows from the plan. */
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  readonly shards: number;
  /** Floats that the servers hold. */
  readonly storedParameters: number;
  /** That of the last step; absent before the first. */
  readonly loss?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  /** Over the last few steps. */
  readonly examplesPerSecond?: number;
  /** What workers sent and received for a step, on average, since the coordinator started. */
  readonly wireBytesPerStep?: number;
  /** How many the job starts with. */
  readonly startsWith: number;
  readonly workers: readonly WorkerStatus[];
  readonly servers: readonly ServerStatus[];
  /** What is waited for now, the longest wait first. */
  readonly waits: readonly WaitStatus[];
}

/** A place in the events of a coordinator, of which each process has its own. */
export interface HistoryPlace {
  /** Names the process: when it began, in milliseconds since 1970. 0 for nobody's. */
  readonly begun: number;
  /** The number of the event that comes next. */
  readonly next: number;
}

/** Events that a coordinator has told, as it told them, and the place after them. */
export interface HistoryPart extends HistoryPlace {
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** There are more already. */
  readonly more: boolean;
}

export const JOB_PHASES = [
  'looking for servers',
  'gathering workers',
  'opening servers',
  'training',
  'evaluating',
  'rolling back',
  'collecting weights',
  'saving',
] as const;

export type JobPhase = (typeof JOB_PHASES)[number];

export interface WorkerStatus {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly shards: readonly number[];
  /** The speed of its own computing, without waiting; absent before its first report. */
  readonly examplesPerSecond?: number;
  /** Since its last message. */
  readonly heardMs: number;
  /** What the job waits for it to do; absent if nothing. */
  readonly awaited?: string;
}

export interface ServerStatus {
  readonly address: string;
  /** `lost`: gone for good, another holds its range. */
  readonly role: 'primary' | 'standby' | 'lost';
  readonly firstChunk: number;
  readonly chunks: number;
  /** The worker in whose process it is. */
  readonly hostedBy?: string;
  /** The latest version that it is known to hold a chunk of. */
  readonly version?: number;
  /** Since its last message; absent if it never spoke. */
  readonly heardMs?: number;
  readonly awaited?: string;
}

export interface WaitStatus {
  readonly who: string;
  readonly what: string;
  readonly remedy: string;
  readonly sinceMs: number;
  /** After this the wait ends the job. */
  readonly deadlineMs?: number;
}
