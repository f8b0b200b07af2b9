import type { Stamped } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';

/** Events of a small run for the tests of trackers. */
export const at = (ms: number, event: RunEvent): Stamped<RunEvent> => ({
  at: 1_700_000_000_000 + ms,
  job: 'job-0123456789',
  ...event,
});

export const startedEvent = (resumed?: number): RunEvent => ({
  ...{ event: 'started', job: 'job-0123456789', program: 'line', workers: 2, servers: 1 },
  ...{ shards: 4, steps: 6, epochs: 2, storedParameters: 2 },
  hyperparameters: { optimizer: 'adam', learningRate: 0.25, batchSize: 32, nesterov: true },
  ...(resumed === undefined ? {} : { resumed: { step: resumed, path: 'runs/step' } }),
});

export const stepEvent = (step: number, loss = 1 / step): RunEvent => ({
  ...{ event: 'step', step, epoch: Math.ceil(step / 3), loss, metrics: { accuracy: 0.5 } },
  ...{ examples: 32 * step, examplesPerSecond: 1000, stepMs: 32 },
});

export const epochEvent = (epoch: number, loss: number): RunEvent => ({
  ...{ event: 'epoch', epoch, step: 3 * epoch, loss: 1, metrics: { accuracy: 0.5 } },
  evaluation: { loss, metrics: { accuracy: 0.75 } },
});

export const finishedEvent: RunEvent = {
  ...{ event: 'finished', steps: 6, examples: 192, loss: 0.1, metrics: { accuracy: 0.75 } },
  ...{ digest: 'ab', examplesPerSecond: 1000, wireBytesPerStep: 5, storedParameters: 2 },
  modelPath: null,
};
