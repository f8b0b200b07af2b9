import type { Timeline } from '@tutti/runtime';
import type { ProgramRunner } from './program-runner.js';

/** A runner that tells when it reads, computes and evaluates. */
export function timedRunner(runner: ProgramRunner, timeline: Timeline): ProgramRunner {
  return {
    ...runner,
    async read(step, shard) {
      const since = timeline.now();
      // Unnamed wait: whoever waits for it names it.
      const microBatch = await runner.read(step, shard);
      timeline.passed('read', since, step, shard);
      return microBatch;
    },
    async gradient(weights, microBatch, ...more) {
      const since = timeline.now();
      // Unnamed wait: whoever waits for it names it.
      const report = await runner.gradient(weights, microBatch, ...more);
      timeline.passed('gradient', since, microBatch.step, microBatch.shard);
      return report;
    },
    async evaluate(weights, version, shard, ...more) {
      const since = timeline.now();
      // Unnamed wait: whoever waits for it names it.
      const report = await runner.evaluate(weights, version, shard, ...more);
      timeline.passed('evaluate', since, version - 1, shard);
      return report;
    },
  };
}
