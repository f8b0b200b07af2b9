import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import {
  type Contribution,
  digestOfBytes,
  type Enclosed,
  type JobPlan,
  type ShardReport,
  type Verify,
} from '@tutti/protocol';
import { createReducer, packedBytes } from '@tutti/reduction';
import { type Clock, createBufferPool, type Monitor, type Timeline } from '@tutti/runtime';
import type { Enrolment } from '../link/enrolment.js';
import { createReportBatcher } from '../link/report-batcher.js';
import type { ContributionOrder, Place } from '../link/weight-puller.js';
import type { WeightBuffer } from '../link/weights.js';
import { ofProgram } from '../program/open-program.js';
import { ofData } from './monitored-runner.js';
import type { ProgramRunner, TakeGradient } from './program-runner.js';
import type { ReadAhead } from './read-ahead.js';

/** A worker's part in the steps: gradients of its shards, added along the tree, on their way. */
export interface Contributor {
  /**
   * Computes the micro-batches of some shards and pushes the maximal nodes that they form. Chunks
   * that the last micro-batch gives early travel while the rest is computed. Then comes the report,
   * and after it what is left: so that each chunk can be applied as it comes.
   * @param halt whether to leave the rest to others
   * @returns the shards that were computed
   */
  contribute(
    step: number,
    shards: readonly number[],
    halt: () => boolean,
  ): Promise<readonly number[]>;
  /** Computes a node of the tree again and answers what it got: another has contributed it. */
  verify(order: Verify): Promise<void>;
  /** Nobody will read what was sent of the steps before this one: its memory may be used again. */
  recycle(step: number): void;
}

export function createContributor(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly runner: ProgramRunner;
  readonly readAhead: ReadAhead;
  readonly weights: WeightBuffer;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly send: Enrolment['send'];
  /** Sends to where the sums are made: everywhere, or there. */
  readonly push: (body: Contribution, rest: Enclosed, there?: Place) => void;
  /** Chunks as they are best pushed: those for others, then those for the server in this process. */
  readonly inOrder: (chunks: readonly number[]) => ContributionOrder;
  /** Whether nobody waits for the reports of the step under way. */
  readonly unhurried: () => boolean;
  /** That of the assignment that is followed. */
  readonly attempt: () => string;
  /** Whether the reports of a step go with what is contributed to this chunk, too. */
  readonly reportsWith: (chunk: number) => boolean;
  /** Bytes sent and received so far. */
  readonly traffic: () => number;
}): Contributor {
  const { plan, layout, kernels, runner, readAhead, weights, monitor, clock, send } = init;
  const { timeline } = init;
  const pool = createBufferPool();
  let sent: { readonly step: number; readonly copy: Uint8Array }[] = [];
  let wireBytes = 0;

  /** What is sent of a sum. */
  const wireBytesOf = (values: Block) =>
    plan.gradientCompression === undefined ? values.bytes : packedBytes(kernels, values);

  const createReducers = () =>
    Array.from({ length: layout.chunks }, (_, chunk) =>
      createReducer({ kernels, shards: plan.shards, length: layout.chunkLength(chunk) }),
    );

  /**
   * For a socket that reads it later.
   * @param room bytes that it takes at most: of packed sums each may have a length of its own
   */
  function keep(step: number, bytes: Uint8Array, room: number): Uint8Array {
    const copy = pool.take(room);
    sent.push({ step, copy });
    copy.set(bytes);
    return copy.subarray(0, bytes.byteLength);
  }

  async function compute(step: number, shard: number, take: TakeGradient) {
    const microBatch = await monitor.race(readAhead.take(step, shard), ofData(step, shard));
    return monitor.race(
      runner.gradient(weights.values(), microBatch, take),
      ofProgram(`compute the gradient of shard ${shard} of step ${step}`),
    );
  }

  return {
    async contribute(step, shards, halt) {
      const reducers = createReducers();
      const reports: ShardReport[] = [];
      const push = (chunk: number, there?: Place) => {
        const since = timeline.now();
        const reported = init.reportsWith(chunk);
        for (const { lo, hi, values } of reducers[chunk]!.nodes()) {
          const bytes = wireBytesOf(values);
          const body = {
            type: 'contribution',
            step,
            lo,
            hi,
            chunk,
            attempt: init.attempt(),
            ...(reported && {
              reports: reports.filter(({ shard }) => shard >= lo && shard < hi),
            }),
          } as const;
          const lent = () => keep(step, bytes, values.bytes.byteLength);
          init.push(body, { payload: bytes, lent }, there);
        }
        timeline.passed('push', since, step, chunk);
      };
      try {
        const batcher = createReportBatcher(clock, (reports) => {
          const before = wireBytes;
          wireBytes = init.traffic();
          const body = { type: 'report', step, shards: reports } as const;
          const enclosed = init.unhurried() ? { unhurried: true } : {};
          send({ ...body, wireBytes: wireBytes - before }, enclosed);
        });
        const done: number[] = [];
        const unsent = new Set(reducers.keys());
        for (const shard of shards) {
          if (halt()) break;
          const last = shard === shards.at(-1);
          const report = await compute(step, shard, (chunk, values, early) => {
            const since = timeline.now();
            reducers[chunk]!.offer(shard, shard + 1, values);
            timeline.passed('add', since, step, chunk);
            if (last && early && !init.reportsWith(chunk) && unsent.delete(chunk)) push(chunk);
          });
          done.push(shard);
          reports.push(report);
          batcher.add(report);
        }
        batcher.finish();
        const { away, own } = init.inOrder([...unsent]);
        for (const chunk of away) push(chunk, 'away');
        // So that those are under way while the own ones are added and applied.
        // Unnamed wait: it ends by itself.
        if (own.length > 0) await undefined;
        for (const chunk of own) push(chunk, 'own');
        return done;
      } finally {
        for (const reducer of reducers) reducer.release();
      }
    },
    async verify({ order, step, lo, hi }) {
      const reducers = createReducers();
      try {
        const reports = [];
        const batcher = createReportBatcher(clock, () =>
          send({ type: 'report', step, shards: [], wireBytes: 0 }),
        );
        for (let shard = lo; shard < hi; shard++) {
          const report = await compute(step, shard, (chunk, values) => {
            reducers[chunk]!.offer(shard, shard + 1, values);
          });
          reports.push(report);
          batcher.goesOn();
        }
        const digests = reducers.map((reducer) =>
          digestOfBytes(wireBytesOf(reducer.nodes()[0]!.values)),
        );
        send({ type: 'verification', order, digests, shards: reports });
      } finally {
        for (const reducer of reducers) reducer.release();
      }
    },
    recycle(step) {
      for (const each of sent) if (each.step < step) pool.give(each.copy);
      sent = sent.filter((each) => each.step >= step);
    },
  };
}
