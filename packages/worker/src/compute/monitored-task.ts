import type { Monitor } from '@tutti/runtime';
import { ofProgram } from '../program/open-program.js';
import type { Task } from './task.js';

/** What only the data can do. */
export function ofData(step: number, shard: number) {
  return {
    who: 'the training data',
    what: `give the micro-batch of shard ${shard} of step ${step}`,
    remedy: 'See whether its disk or host answers.',
  };
}

/** A task that says what it waits for, each time the program or its data take long. */
export function monitoredTask(task: Task, monitor: Monitor): Task {
  return {
    read: (step, shard) => monitor.race(task.read(step, shard), ofData(step, shard)),
    gradient(weights, microBatch, ...more) {
      const { step, shard } = microBatch;
      const computing = task.gradient(weights, microBatch, ...more);
      const what = `compute the gradient of shard ${shard} of step ${step}`;
      return monitor.race(computing, ofProgram(what));
    },
    evaluate(weights, version, shard, ...more) {
      const evaluating = task.evaluate(weights, version, shard, ...more);
      return monitor.race(evaluating, ofProgram(`evaluate shard ${shard} at version ${version}`));
    },
    initialize: () => monitor.race(task.initialize(), ofProgram('make the initial values')),
  };
}
