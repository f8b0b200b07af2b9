import type { Monitor } from '@tutti/runtime';
import { ofProgram } from '../program/open-program.js';
import type { ProgramRunner } from './program-runner.js';

/** What only the data can do. */
export function ofData(step: number, shard: number) {
  return {
    who: 'the training data',
    what: `give the micro-batch of shard ${shard} of step ${step}`,
    remedy: 'See whether its disk or host answers.',
  };
}

/** A runner that says what it waits for, each time the program or its data take long. */
export function monitoredRunner(runner: ProgramRunner, monitor: Monitor): ProgramRunner {
  return {
    read: (step, shard) => monitor.race(runner.read(step, shard), ofData(step, shard)),
    gradient(weights, microBatch, ...more) {
      const { step, shard } = microBatch;
      const computing = runner.gradient(weights, microBatch, ...more);
      const what = `compute the gradient of shard ${shard} of step ${step}`;
      return monitor.race(computing, ofProgram(what));
    },
    evaluate(weights, version, shard, ...more) {
      const evaluating = runner.evaluate(weights, version, shard, ...more);
      return monitor.race(evaluating, ofProgram(`evaluate shard ${shard} at version ${version}`));
    },
    initialize: () => monitor.race(runner.initialize(), ofProgram('make the initial values')),
  };
}
