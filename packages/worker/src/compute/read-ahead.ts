import type { JobPlan } from '@tutti/protocol';
import type { ProgramRunner, ReadMicroBatch } from './program-runner.js';

/** Reads micro-batches before they are needed: while a step is computed and while it is awaited. */
export interface ReadAhead {
  /** Begins to read what this step and the next one need. */
  prepare(step: number, shards: readonly number[]): void;
  take(step: number, shard: number): Promise<ReadMicroBatch>;
}

export function createReadAhead(runner: ProgramRunner, plan: JobPlan): ReadAhead {
  const ahead = new Map<string, Promise<ReadMicroBatch>>();
  const key = (step: number, shard: number) => `${step}/${shard}`;
  return {
    prepare(step, shards) {
      for (const old of ahead.keys()) if (Number.parseInt(old, 10) < step) ahead.delete(old);
      for (const at of [step, step + 1])
        for (const shard of shards) {
          if (at >= plan.steps || ahead.has(key(at, shard))) continue;
          const reading = runner.read(at, shard);
          // An error belongs to whoever takes the micro-batch.
          reading.catch(() => {});
          ahead.set(key(at, shard), reading);
        }
    },
    take(step, shard) {
      const ready = ahead.get(key(step, shard));
      ahead.delete(key(step, shard));
      return ready ?? runner.read(step, shard);
    },
  };
}
