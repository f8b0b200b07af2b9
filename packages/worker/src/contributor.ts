import type { Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { Body, JobPlan } from '@tutti/protocol';
import { createReducer } from '@tutti/reduction';
import { type Clock, createBufferPool, type Monitor, type Wait } from '@tutti/runtime';
import type { ReadAhead } from './read-ahead.js';
import { createSpeaker } from './speaker.js';
import type { Task } from './task.js';
import type { WeightBuffer } from './weights.js';

/** A worker's part in the steps: gradients of its shards, added along the tree, on their way. */
export interface Contributor {
  /**
   * Computes the micro-batches of some shards and pushes the maximal nodes that they form: each
   * chunk as soon as the last micro-batch has given it, so that most travels while the rest is
   * computed. The report comes last, and nothing is applied without it.
   * @param halt whether to leave the rest to others
   * @returns the shards that were computed
   */
  contribute(
    step: number,
    shards: readonly number[],
    halt: () => boolean,
  ): Promise<readonly number[]>;
  /** Nobody will read what was sent until now: its memory may be used again. */
  recycle(): void;
}

export function createContributor(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly task: Task;
  readonly readAhead: ReadAhead;
  readonly weights: WeightBuffer;
  readonly monitor: Monitor;
  readonly clock: Clock;
  /** The wait for the program to do something. */
  readonly ofProgram: (what: string) => Wait;
  readonly send: (body: Body, payload?: Uint8Array) => void;
  /** Bytes sent and received so far. */
  readonly traffic: () => number;
}): Contributor {
  const { plan, layout, kernels, task, readAhead, weights, monitor, clock, send } = init;
  const pool = createBufferPool();
  let sent: Uint8Array[] = [];
  let wireBytes = 0;

  return {
    async contribute(step, shards, halt) {
      const reducers = Array.from({ length: layout.chunks }, (_, chunk) =>
        createReducer({ kernels, shards: plan.shards, length: layout.chunkLength(chunk) }),
      );
      const push = (chunk: number) => {
        for (const { lo, hi, values } of reducers[chunk]!.nodes()) {
          const payload = pool.take(values.bytes.byteLength);
          payload.set(values.bytes);
          sent.push(payload);
          send({ type: 'contribution', step, lo, hi, chunk }, payload);
        }
      };
      try {
        const speaker = createSpeaker(clock, (reports) => {
          const before = wireBytes;
          wireBytes = init.traffic();
          send({ type: 'report', step, shards: reports, wireBytes: wireBytes - before });
        });
        const done: number[] = [];
        for (const shard of shards) {
          if (halt()) break;
          const of = `of shard ${shard} of step ${step}`;
          const microBatch = await monitor.race(readAhead.take(step, shard), {
            who: 'the training data',
            what: `give the micro-batch ${of}`,
            remedy: 'See whether its disk or host answers.',
          });
          const last = shard === shards.at(-1);
          const report = await monitor.race(
            task.gradient(weights.values, microBatch, (chunk, values) => {
              reducers[chunk]!.offer(shard, shard + 1, values);
              if (last) push(chunk);
            }),
            init.ofProgram(`compute the gradient ${of}`),
          );
          done.push(shard);
          speaker.add(report);
        }
        if (done.length < shards.length) for (const chunk of reducers.keys()) push(chunk);
        speaker.finish();
        return done;
      } finally {
        for (const reducer of reducers) reducer.release();
      }
    },
    recycle() {
      for (const buffer of sent) pool.give(buffer);
      sent = [];
    },
  };
}
