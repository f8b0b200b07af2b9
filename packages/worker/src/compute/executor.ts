import type { Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { JobPlan, Verify } from '@tutti/protocol';
import type { Clock, Monitor } from '@tutti/runtime';
import type { Enrolment } from '../link/enrolment.js';
import type { WeightBuffer } from '../link/weights.js';
import { ofProgram } from '../program/open-program.js';
import type { Contributor } from './contributor.js';
import { createEvaluator } from './evaluator.js';
import { probe } from './probe.js';
import type { ProgramRunner } from './program-runner.js';

/** Whatever a worker computes, and what of the version under way the coordinator has been given. */
export interface Executor {
  /** Micro-batches in the whole run. */
  microBatches(): number;
  /** Those of these shards whose gradients have not been given. */
  uncomputed(shards: readonly number[]): number[];
  unevaluated(shards: readonly number[]): number[];
  /** Computes the gradients of these shards and pushes their sums, until `halt`. */
  contribute(step: number, shards: readonly number[]): Promise<void>;
  /** Evaluates these shards and tells the numbers, until `halt`. */
  evaluate(version: number, shards: readonly number[]): Promise<void>;
  /** Computes again what another has contributed, or evaluates it. */
  verify(order: Verify): Promise<void>;
  /** Nobody will read the gradients that were sent of the steps before this one: their memory may be used again. */
  recycle(step: number): void;
  /** Tells the digest of a gradient that is the same everywhere; computed once. */
  probe(): Promise<void>;
  /** Sends chunks of the initial values, which are made at the first time. */
  initialize(chunks: readonly number[]): Promise<void>;
  /** The initial values are stored: nobody asks for them any more. */
  initialized(): void;
  /** What was contributed of this version may be lost: it is computed again. */
  contributeAgain(): void;
  /** Another version is under way, or whoever was given something of this one is gone. */
  startAnew(): void;
}

/** @param init.halt whether to leave the rest to others */
export function createExecutor(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly worker: string;
  readonly runner: ProgramRunner;
  readonly weights: WeightBuffer;
  readonly contributor: Contributor;
  readonly send: Enrolment['send'];
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly halt: () => boolean;
  readonly onComputed: (step: number, shards: readonly number[]) => void;
}): Executor {
  const { layout, runner, contributor, send, monitor, halt } = init;
  const evaluator = createEvaluator(init);
  const computed = new Set<number>();
  const evaluated = new Set<number>();
  let microBatches = 0;
  let probed: string | undefined;
  let initial: Float32Array | undefined;

  const missing = (shards: readonly number[], done: ReadonlySet<number>) =>
    [...new Set(shards)].filter((shard) => !done.has(shard));

  return {
    microBatches: () => microBatches,
    uncomputed: (shards) => missing(shards, computed),
    unevaluated: (shards) => missing(shards, evaluated),
    async contribute(step, shards) {
      const done = await contributor.contribute(step, shards, halt);
      for (const shard of done) computed.add(shard);
      microBatches += done.length;
      init.onComputed(step, done);
    },
    async evaluate(version, shards) {
      for (const shard of await evaluator.evaluate(version, shards, halt)) evaluated.add(shard);
    },
    verify: (order) => (order.work === 'gradient' ? contributor : evaluator).verify(order),
    recycle: contributor.recycle,
    async probe() {
      probed ??= await monitor.race(probe(init), ofProgram('compute a probe gradient'));
      send({ type: 'probe', digest: probed });
    },
    async initialize(chunks) {
      initial ??= await monitor.race(runner.initialize(), ofProgram('make the initial values'));
      for (const chunk of chunks) {
        const from = chunk * layout.chunkFloats;
        const part = initial.slice(from, from + layout.chunkLength(chunk));
        send({ type: 'initial', chunk }, { payload: new Uint8Array(part.buffer) });
      }
    },
    initialized() {
      initial = undefined;
    },
    contributeAgain: () => computed.clear(),
    startAnew() {
      computed.clear();
      evaluated.clear();
    },
  };
}
