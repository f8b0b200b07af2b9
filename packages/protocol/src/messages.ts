import type { ErrorRecord } from '@tutti/runtime';
import type { JobPlan, ProgramDescription } from './plan.js';
import type { HistoryPart, HistoryPlace, JobStatus } from './status.js';

/** Raised whenever a message changes its meaning. Peers of different versions refuse each other. */
export const PROTOCOL_VERSION = 6;

/** What every message carries besides its own fields. */
export interface Stamp {
  /** The protocol version of the sender. */
  readonly protocol: number;
  /** The random id of the training run; empty in a `join` that accepts any. */
  readonly job: string;
  /** The token that the receiver gave to this sender; empty before it has one. */
  readonly session: string;
}

/** The numbers of one micro-batch, or of one shard of the evaluation set. Sums, not means. */
export interface ShardReport {
  readonly shard: number;
  /** Examples that took part. */
  readonly count: number;
  readonly lossSum: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly computeMs: number;
  /** The largest magnitude in the gradient; bounds the sum before it is formed. Not for evaluation. */
  readonly maxAbs?: number;
}

/** What a worker says of the machine it runs on; differing arithmetic is traced with it. */
export interface HostFacts {
  readonly hostname: string;
  readonly pid: number;
  readonly cpu: string;
  readonly node: string;
  /** Library versions, thread counts and whatever else decides the bits. */
  readonly arithmetic: Readonly<Record<string, string>>;
}

// ---- worker -> coordinator
export interface Join {
  readonly type: 'join';
  readonly worker: string;
  readonly description: ProgramDescription;
  readonly host: HostFacts;
  /** Where a server of this job can be reached that the process of the worker hosts. */
  readonly server?: string;
  /**
   * The servers of the job, as it was told last, in their order and with those that are lost: a coordinator that
   * was started again does not know them.
   */
  readonly servers?: readonly string[];
}
/**
 * After each welcome: the digest of the gradient of one micro-batch, the same on every machine with
 * the same arithmetic. Shards are given only to who has sent it.
 */
export interface Probe {
  readonly type: 'probe';
  readonly digest: string;
}
/** What a worker got for a node of the tree that another had contributed, in answer to `verify`. */
export interface Verification {
  readonly type: 'verification';
  readonly order: number;
  /** The SHA-256 of each chunk of the sum. */
  readonly digests: readonly string[];
  readonly shards: readonly ShardReport[];
}
/** One chunk of the initial stored parameters, in answer to `initialize`. Payload: float32. */
export interface Initial {
  readonly type: 'initial';
  readonly chunk: number;
}
/** What some micro-batches of a step came to: a worker that takes long reports early, as a sign of life. */
export interface Report {
  readonly type: 'report';
  readonly step: number;
  readonly shards: readonly ShardReport[];
  /** Bytes that the worker sent and received since its last report. */
  readonly wireBytes: number;
}
/**
 * A complete node [lo, hi) of the canonical tree, for one chunk. Payload: float32. It goes to where the
 * sums are made: to the coordinator, or to each server that holds the chunk.
 */
export interface Contribution {
  readonly type: 'contribution';
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  readonly chunk: number;
  /** That of the assignment that it follows: what is still on the way from an earlier one is void. */
  readonly attempt: string;
  /**
   * To the servers of the first chunk: the reports of these shards, in case that those to the coordinator are
   * lost. When the step is applied nobody can compute them any more.
   */
  readonly reports?: readonly ShardReport[];
}
/** What some shards of an evaluation came to; of none as a sign of life. */
export interface EvaluationReport {
  readonly type: 'evaluation';
  readonly version: number;
  readonly shards: readonly ShardReport[];
}
/**
 * A sign of life of a worker that has nothing else to say for a while: it can do nothing before it has
 * the weights of this version. One that hangs in its program cannot say so.
 */
export interface Waiting {
  readonly type: 'waiting';
  readonly version: number;
}
export interface WorkerFailed {
  readonly type: 'failed';
  readonly error: ErrorRecord;
}
/** Nothing more will come; the answer to a worker is `finish`. Also of a server that is `replaced`. */
export interface Leave {
  readonly type: 'leave';
}

// ---- coordinator -> worker
export interface Welcome {
  readonly type: 'welcome';
  readonly worker: string;
  readonly plan: JobPlan;
  readonly servers: readonly ServerRange[];
  /** Where the sums are made, and so where contributions go: `coordinator` if it is not said. */
  readonly aggregation?: Aggregation;
}
/** Where the contributions of the workers are added. */
export type Aggregation = 'coordinator' | 'server';

export interface ServerRange {
  /** Where workers reach it. */
  readonly address: string;
  readonly firstChunk: number;
  readonly chunks: number;
  /**
   * Absent where weights are pulled. A `standby` holds the same, and makes the same sums where servers make
   * them; what is `lost` holds nothing any more, but its place among the others is still its own.
   */
  readonly role?: 'standby' | 'lost';
}
export interface Initialize {
  readonly type: 'initialize';
  /** The chunks that are wanted; more are asked for as the servers have stored those. */
  readonly chunks: readonly number[];
}
/** The servers have changed: connect to these, and ask again for what has not come. */
export interface Relocated {
  readonly type: 'relocated';
  readonly servers: readonly ServerRange[];
}
/**
 * From `step` on (again for a step under way, if it is the current one), this worker computes
 * `shards`, until a higher generation says otherwise.
 */
export interface Assign {
  readonly type: 'assign';
  readonly generation: number;
  readonly step: number;
  readonly shards: readonly number[];
  /**
   * Another one whenever the weights go back, or a step is begun anew: to `step`, and so must the
   * worker.
   */
  readonly attempt: string;
}
/** For step `step` also compute these, which are late elsewhere; the first copy of a gradient counts. */
export interface Compute {
  readonly type: 'compute';
  readonly step: number;
  readonly shards: readonly number[];
}
/** Also evaluate these shards at this version: they are late elsewhere. */
export interface Evaluate {
  readonly type: 'evaluate';
  readonly version: number;
  readonly shards: readonly number[];
}
/**
 * Computes the sum over the shards [lo, hi), a node of the tree, as if to contribute it, and answers
 * with its digests: it is compared with what another has sent.
 */
export interface Verify {
  readonly type: 'verify';
  /** An evaluation of these shards has no digests, only numbers. */
  readonly work: 'gradient' | 'evaluation';
  readonly order: number;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
}
/** The end of the job, or the answer to `leave`: all that came before it was taken. */
export interface Finish {
  readonly type: 'finish';
  /** Absent if all went well. */
  readonly error?: ErrorRecord;
}

// ---- coordinator -> server
/** Asks what the server has; a coordinator that was started again finds its job so. */
export interface Inquire {
  readonly type: 'inquire';
  /** What this coordinator is called, with its address. */
  readonly by?: string;
}
export interface Open {
  readonly type: 'open';
  readonly plan: JobPlan;
  readonly firstChunk: number;
  readonly chunks: number;
  /** Whatever it holds of this job is void. */
  readonly reset?: boolean;
}
/** Payload: float32, the values of the chunk at version 0. */
export interface Store {
  readonly type: 'store';
  readonly chunk: number;
}
/** Payload: float32, the chunk at `version`, then its optimizer slots one after the other. */
export interface Restore {
  readonly type: 'restore';
  readonly chunk: number;
  readonly version: number;
}
/**
 * Asks for the state of every chunk at `version`, which is the current one: it comes between two
 * steps, before the next sum. A server that is at another version says nothing.
 */
export interface Capture {
  readonly type: 'capture';
  readonly version: number;
  /** Whether the optimizer slots are wanted too. */
  readonly slots: boolean;
}
/** Step `step` of one chunk. Payload: float32, the sum over all examples. */
export interface Apply {
  readonly type: 'apply';
  readonly step: number;
  readonly chunk: number;
  /** Examples in the sum. */
  readonly count: number;
  /** Factor of clipping by global norm. */
  readonly scale: number;
  /** Factor of the learning rate, 1 if absent. */
  readonly rate?: number;
}
/**
 * Has the server make the sums of its chunks itself: from contributions of this attempt, of these
 * workers. What came of another attempt is void. The answer is `gathered`, which tells all that is
 * there: so this is also how the coordinator asks.
 */
export interface Gather {
  readonly type: 'gather';
  readonly attempt: string;
  /** The sessions of the workers that are admitted. */
  readonly workers: readonly string[];
}
/** As `apply`, of sums that the server has made: for all of these chunks. */
export interface Advance {
  readonly type: 'advance';
  readonly step: number;
  readonly chunks: readonly number[];
  /** Examples in the sums. */
  readonly count: number;
  readonly scale: number;
  readonly rate?: number;
  /** Whether the step is recorded: then the digests of the sums are wanted. */
  readonly recorded: boolean;
}
/**
 * Sums of the steps before `until` may be applied as soon as they are complete and finite: nothing is decided
 * at the versions on the way there.
 */
export interface Permit {
  readonly type: 'permit';
  readonly attempt: string;
  readonly until: number;
  /** As in `advance`. */
  readonly rate?: number;
  readonly recorded: boolean;
  /** The coordinator knows all of the steps before this one. */
  readonly known: number;
}

/** The server was given up and others have its chunks: it need not wait for the coordinator any more. */
export interface Replaced {
  readonly type: 'replaced';
  /** Where its chunks are now. */
  readonly by: string;
  readonly reason: string;
}

// ---- server -> coordinator
/** In answer to `inquire`; the job is in the stamp, empty if there is none. */
export interface Holding {
  readonly type: 'holding';
  readonly plan?: JobPlan;
}
export interface Opened {
  readonly type: 'opened';
  /** The version of each chunk; -1 for one that has no values yet. */
  readonly versions: readonly number[];
}
export interface Stored {
  readonly type: 'stored';
  readonly chunk: number;
}
/** In answer to `capture`. Payload: as of `restore`. */
export interface Captured {
  readonly type: 'captured';
  readonly chunk: number;
  readonly version: number;
}
/** The chunk is at `step + 1`, now or since earlier. */
export interface Applied {
  readonly type: 'applied';
  readonly step: number;
  readonly chunk: number;
}
/** What is known of the complete sum of one chunk. */
export interface SumFacts {
  readonly step: number;
  readonly chunk: number;
  /** Nothing in it is infinite or NaN. */
  readonly finite: boolean;
  /** With clipping by global norm: the sum of squares of each block of what is trained, in their order. */
  readonly squares?: readonly number[];
}
/** Sums that the server has made: those that have just become complete, or in answer to `gather` all. */
export interface Gathered {
  readonly type: 'gathered';
  readonly attempt: string;
  readonly sums: readonly SumFacts[];
  /** In answer to `gather`: what else there is. */
  readonly standing?: Standing;
  /** In answer to `gather`, by the server of the first chunk: what workers reported of a step. */
  readonly reports?: StepReports;
}
export interface StepReports {
  readonly step: number;
  readonly shards: readonly ShardReport[];
}
/** How far a server is with its sums. */
export interface Standing {
  /** The version of each of its chunks. */
  readonly versions: readonly number[];
  /** The lowest of these, and the shards that some sum of that step lacks. */
  readonly step: number;
  readonly missing: readonly number[];
  /** The sessions of those who contributed something since this was told last. */
  readonly heard: readonly string[];
}
/** In answer to `advance`, or as permitted: the chunks are at `step + 1`, now or since earlier. */
export interface Advanced {
  readonly type: 'advanced';
  readonly step: number;
  /** That of the permission, if it was that. */
  readonly attempt?: string;
  readonly chunks: readonly number[];
  /** If they are wanted: the SHA-256 of each sum, or '' if it was applied earlier. */
  readonly digests?: readonly string[];
}
/** A worker contributed what is no sum of a node of the tree, or not of a chunk that is held here. */
export interface Misfit {
  readonly type: 'misfit';
  /** Its session. */
  readonly worker: string;
  readonly contribution: MisfitContribution;
  readonly bytes: number;
}
export type MisfitContribution = Pick<Contribution, 'step' | 'lo' | 'hi' | 'chunk'>;

// ---- server -> worker
/**
 * What this worker has contributed in this attempt did not count: the server did not know yet that it
 * may. It contributes again what it can of the step under way.
 */
export interface Repeat {
  readonly type: 'repeat';
  readonly attempt: string;
}

// ---- anyone -> server, and back
/**
 * A standing order: for every chunk of the server at `version`, each as soon as it is there, then for
 * those of the next version, and so on. It replaces the one before, and says that nothing of what that
 * has brought is on its way any more, but for the version before this.
 */
export interface Pull {
  readonly type: 'pull';
  readonly version: number;
  /** The last version that is wanted; `version` itself, if it is not given. */
  readonly until?: number;
}
/** Payload: float32. */
export interface Weights {
  readonly type: 'weights';
  readonly version: number;
  readonly chunk: number;
  /**
   * Nobody waits for the reports of the step from this version: the server may apply that, and the one after
   * it, without an order.
   */
  readonly unhurried?: boolean;
}

// ---- anyone -> coordinator, and back
/** Asks how the job is doing; whoever asks need not have joined. */
export interface Status {
  readonly type: 'status';
  /** Asks for the events too that the coordinator has told from there on. */
  readonly history?: HistoryPlace;
}
export interface StatusReport {
  readonly type: 'status-report';
  readonly status: JobStatus;
  readonly history?: HistoryPart;
}

// ---- anyone
/** The receiver will not talk to the sender; it says why, and what would help. */
export interface Refused {
  readonly type: 'refused';
  readonly error: ErrorRecord;
}

export type Body =
  | Join
  | Probe
  | Verification
  | Initial
  | Report
  | Contribution
  | EvaluationReport
  | Waiting
  | WorkerFailed
  | Leave
  | Welcome
  | Initialize
  | Assign
  | Relocated
  | Compute
  | Evaluate
  | Verify
  | Finish
  | Inquire
  | Open
  | Store
  | Apply
  | Gather
  | Advance
  | Permit
  | Replaced
  | Restore
  | Capture
  | Holding
  | Opened
  | Stored
  | Captured
  | Applied
  | Gathered
  | Advanced
  | Misfit
  | Repeat
  | Pull
  | Weights
  | Status
  | StatusReport
  | Refused;

export type Message = Body & Stamp;
