import fc from 'fast-check';
import { JOB_PHASES, type JobStatus } from './status.js';

/** Any report of a job's status. Only tests import this file. */
export function jobStatuses(fields: {
  readonly number: fc.Arbitrary<number>;
  readonly whole: fc.Arbitrary<number>;
  readonly text: fc.Arbitrary<string>;
}): fc.Arbitrary<JobStatus> {
  const { number, whole, text } = fields;
  return fc.record(
    {
      job: text,
      program: text,
      phase: fc.constantFrom(...JOB_PHASES),
      runningMs: number,
      step: whole,
      steps: whole,
      epoch: whole,
      epochs: whole,
      shards: whole,
      storedParameters: whole,
      loss: number,
      metrics: fc.constant({ accuracy: 0.5 }),
      examplesPerSecond: number,
      wireBytesPerStep: number,
      startsWith: whole,
      workers: fc.array(
        fc.record(
          {
            name: text,
            host: text,
            pid: whole,
            shards: fc.array(whole),
            examplesPerSecond: number,
            heardMs: number,
            awaited: text,
          },
          { requiredKeys: ['name', 'host', 'pid', 'shards', 'heardMs'] },
        ),
      ),
      servers: fc.array(
        fc.record(
          {
            address: text,
            role: fc.constantFrom('primary', 'standby', 'lost'),
            firstChunk: whole,
            chunks: whole,
            version: whole,
            heardMs: number,
            awaited: text,
          },
          { requiredKeys: ['address', 'role', 'firstChunk', 'chunks'] },
        ),
      ),
      waits: fc.array(
        fc.record(
          { who: text, what: text, remedy: text, sinceMs: number, deadlineMs: number },
          { requiredKeys: ['who', 'what', 'remedy', 'sinceMs'] },
        ),
      ),
    },
    {
      requiredKeys: [
        ...(['job', 'phase', 'runningMs', 'step', 'steps', 'epoch', 'epochs', 'shards'] as const),
        ...(['storedParameters', 'startsWith', 'workers', 'servers', 'waits'] as const),
      ],
    },
  );
}
