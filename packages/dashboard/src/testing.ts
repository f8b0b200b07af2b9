import type { Stamped } from '@tutti/runtime';
import type { RunEvent, StartedEvent, StepEvent } from '@tutti/telemetry';

/** When the runs of tests begin. */
export const T0 = 1_700_000_000_000;

/** Events of a run, told one after another. */
export const at = (ms: number, event: RunEvent): Stamped<RunEvent> => ({
  at: T0 + ms,
  job: 'j1',
  ...event,
});

export const startedEvent = (fields: Partial<StartedEvent> = {}): StartedEvent => ({
  ...{ event: 'started', job: 'j1', program: 'line', workers: 2, servers: 1, shards: 4 },
  ...{ steps: 100, epochs: 2, storedParameters: 30, folder: 'runs/line/run-0001' },
  ...fields,
});

export const stepEvent = (step: number, fields: Partial<StepEvent> = {}): StepEvent => ({
  ...{ event: 'step', step, epoch: 1, loss: 1 / step, metrics: { accuracy: 0.5 } },
  ...{ examples: 32 * step, examplesPerSecond: 1000, stepMs: 32 },
  ...fields,
});

export const joined = (worker: string, workers: number): RunEvent => ({
  ...{ event: 'worker-joined', worker, workers },
});

export const lost = (worker: string, workers: number): RunEvent => ({
  ...{ event: 'worker-left', worker, reason: 'its connection was lost', workers },
  politely: false,
});
