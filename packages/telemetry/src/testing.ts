import type { EpochEvent, FinishedEvent, StartedEvent, StepEvent } from './events.js';
import type { TextStream } from './renderer.js';

/** A stream that remembers. Only tests import this. */
export function memoryStream(isTTY = false): TextStream & { text(): string; lines(): string[] } {
  let written = '';
  return {
    isTTY,
    columns: 200,
    write(text: string) {
      written += text;
      return true;
    },
    text: () => written,
    lines: () => written.split('\n').slice(0, -1),
  };
}

export const started: StartedEvent = {
  event: 'started',
  job: 'j1',
  program: 'convnet',
  workers: 2,
  servers: 1,
  shards: 8,
  steps: 4690,
  epochs: 10,
  storedParameters: 225034,
};

export function stepEvent(step: number, fields: Partial<StepEvent> = {}): StepEvent {
  return {
    event: 'step',
    step,
    epoch: 1,
    loss: 0.5,
    metrics: { accuracy: 0.875 },
    examples: step * 128,
    examplesPerSecond: 4321.4,
    stepMs: 29,
    ...fields,
  };
}

export const epoch: EpochEvent = {
  event: 'epoch',
  epoch: 1,
  step: 469,
  loss: 0.1234,
  metrics: { accuracy: 0.95 },
  evaluation: { loss: 0.0456, metrics: { accuracy: 0.9876 } },
};

export const finished: FinishedEvent = {
  event: 'finished',
  steps: 4690,
  examples: 600000,
  loss: 0.0312,
  metrics: { accuracy: 0.991 },
  digest: 'ab'.repeat(32),
  examplesPerSecond: 4805.6,
  wireBytesPerStep: 1_800_272,
  storedParameters: 225034,
  modelPath: '/runs/convnet/model.json',
};
