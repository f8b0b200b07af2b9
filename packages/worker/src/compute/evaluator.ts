import type { ShardReport, Verify, WorkerToCoordinator } from '@tutti/protocol';
import type { Clock, Monitor } from '@tutti/runtime';
import { createReportBatcher } from '../link/report-batcher.js';
import type { WeightBuffer } from '../link/weights.js';
import { ofProgram } from '../program/open-program.js';
import type { ProgramRunner } from './program-runner.js';

/** A worker's part in the evaluations. */
export interface Evaluator {
  /**
   * Evaluates some shards of the evaluation set and reports them.
   * @param halt whether to leave the rest to others
   * @returns the shards that were evaluated
   */
  evaluate(
    version: number,
    shards: readonly number[],
    halt: () => boolean,
  ): Promise<readonly number[]>;
  /** Evaluates again what another has evaluated, and answers what it got. */
  verify(order: Verify): Promise<void>;
}

export function createEvaluator(init: {
  readonly runner: ProgramRunner;
  readonly weights: WeightBuffer;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly send: (body: WorkerToCoordinator) => void;
}): Evaluator {
  const { runner, weights, monitor, clock, send } = init;

  function compute(version: number, shard: number, goesOn: () => void): Promise<ShardReport> {
    const evaluating = runner.evaluate(weights.values(), version, shard, goesOn);
    return monitor.race(evaluating, ofProgram(`evaluate shard ${shard} at version ${version}`));
  }

  return {
    async evaluate(version, shards, halt) {
      const batcher = createReportBatcher(clock, (reports) =>
        send({ type: 'evaluation', version, shards: reports }),
      );
      const done: number[] = [];
      for (const shard of shards) {
        if (halt()) break;
        batcher.add(await compute(version, shard, batcher.goesOn));
        done.push(shard);
      }
      batcher.finish();
      return done;
    },
    async verify({ order, step: version, lo, hi }) {
      const batcher = createReportBatcher(clock, () =>
        send({ type: 'evaluation', version, shards: [] }),
      );
      const shards: ShardReport[] = [];
      for (let shard = lo; shard < hi; shard++)
        shards.push(await compute(version, shard, batcher.goesOn));
      send({ type: 'verification', order, digests: [], shards });
    },
  };
}
