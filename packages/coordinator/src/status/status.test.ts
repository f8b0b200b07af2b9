import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import { createStep } from '@tutti/run';
import { createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { createJobIdentity } from '../state/job.js';
import { createLedger } from '../state/ledger.js';
import type { Member } from '../workers/roster.js';
import { createWorkerTimings } from '../workers/timings.js';
import type { Awaiting } from './awaiting.js';
import { createObservations } from './observations.js';
import { describeStatus } from './status.js';

const plan = samplePlan({
  parameters: [{ name: 'w', shape: [3] }],
  trainingExamples: 100,
  evaluationExamples: 10,
  batchSize: 10,
  shards: 4,
  steps: 25,
  stepsPerEpoch: 10,
});
const layout = createLayout(plan.parameters);
const member = (worker: string, shards: number[]): Member => ({
  worker,
  peer: `peer of ${worker}`,
  process: worker,
  ready: true,
  session: 's',
  host: { hostname: `host of ${worker}`, pid: 7, cpu: 'c', node: 'n', arithmetic: {} },
  shards,
});
const stamp = { protocol: 1, job: 'j', session: 's' };
const report = (shard: number, count: number, computeMs: number) => ({
  ...{ shard, count, computeMs, lossSum: 0, metrics: {} },
});

describe('the status of a job', () => {
  it('has little to say before anybody came, and says that', () => {
    const clock = createSimulatedClock(500);
    const observations = createObservations(clock);
    observations.travelled(10, 700);
    observations.travelled(11, 5000);
    clock.advance(2000);
    const status = describeStatus({
      identity: createJobIdentity('j'),
      phase: 'looking for servers',
      ledger: undefined,
      members: [],
      servers: {
        views: () => [{ address: 'tcp://a:1', role: 'primary', firstChunk: 0, chunks: 0 }],
      },
      monitor: { waits: () => [] },
      observations,
      timings: createWorkerTimings(),
      awaiting: [{ awaitsWorker: () => undefined, awaitsServer: () => 'say what it holds' }],
      startsWith: 2,
      clock,
    });
    assert.deepEqual(status, {
      job: 'j',
      phase: 'looking for servers',
      runningMs: 2000,
      step: 0,
      steps: 0,
      epoch: 0,
      epochs: 0,
      shards: 0,
      storedParameters: 0,
      startsWith: 2,
      workers: [],
      servers: [
        {
          address: 'tcp://a:1',
          role: 'primary',
          firstChunk: 0,
          chunks: 0,
          awaited: 'say what it holds',
        },
      ],
      waits: [],
    });
  });

  it('names for each worker and server its speed, when it was heard and what it is waited for', () => {
    const clock = createSimulatedClock();
    const observations = createObservations(clock);
    observations.travelled(10, 700);
    observations.travelled(11, 5000);
    const [w0, w1] = [member('w0', [0, 1]), member('w1', [2, 3])];
    observations.worker(w0.peer);
    const timings = createWorkerTimings();
    timings.reported(w0.worker, [report(0, 5, 4), report(1, 3, 4)]);
    observations.server(0, { ...stamp, type: 'opened', versions: [-1] });
    clock.advance(1500);
    observations.server(0, { ...stamp, type: 'applied', step: 10, chunk: 0 });
    observations.observe({
      ...{ event: 'step', step: 10, epoch: 1, loss: 1, metrics: {} },
      ...{ examples: 100, examplesPerSecond: 400, stepMs: 25 },
    });
    observations.observe({
      ...{ event: 'step', step: 11, epoch: 2, loss: 0.5, metrics: { accuracy: 0.9 } },
      ...{ examples: 110, examplesPerSecond: 400, stepMs: 25 },
    });
    clock.advance(250);
    const asked: Awaiting = {
      awaitsWorker: ({ worker }) => (worker === 'w1' ? 'send gradients' : undefined),
      awaitsServer: () => undefined,
    };
    const silent: Awaiting = { awaitsWorker: () => undefined, awaitsServer: () => 'apply' };
    const ledger = createLedger({
      plan,
      version: 11,
      most: 11,
      createStep: (step) => createStep({ step, plan, layout, kernels: createKernels() }),
    });
    const identity = createJobIdentity('j');
    identity.settle(plan);
    const status = describeStatus({
      identity,
      phase: 'training',
      ledger,
      members: [w0, w1],
      servers: {
        views: () => [
          {
            ...{ address: 'tcp://a:1', role: 'primary', firstChunk: 0, chunks: 1 },
            peer: w1.peer,
          },
          { address: 'tcp://b:1', role: 'lost', firstChunk: 0, chunks: 1 },
        ],
      },
      monitor: {
        waits: () => [
          { who: 'worker w1', what: 'send', remedy: 'See.', sinceMs: 20, deadlineMs: 30 },
        ],
      },
      observations,
      timings,
      awaiting: [asked, silent],
      startsWith: 2,
      clock,
    });
    const { workers, servers, waits, ...rest } = status;
    assert.deepEqual(rest, {
      job: 'j',
      program: 'line',
      phase: 'training',
      runningMs: 1750,
      step: 11,
      steps: 25,
      epoch: 2,
      epochs: 3,
      shards: 4,
      storedParameters: 3,
      loss: 0.5,
      metrics: { accuracy: 0.9 },
      examplesPerSecond: 400,
      wireBytesPerStep: 5000,
      startsWith: 2,
    });
    const host = (name: string) => ({ name, host: `host of ${name}`, pid: 7 });
    assert.deepEqual(workers, [
      { ...host('w0'), shards: [0, 1], heardMs: 1750, examplesPerSecond: 1000 },
      { ...host('w1'), shards: [2, 3], heardMs: 1750, awaited: 'send gradients' },
    ]);
    const range = { firstChunk: 0, chunks: 1 };
    assert.deepEqual(servers, [
      {
        address: 'tcp://a:1',
        role: 'primary',
        ...range,
        hostedBy: 'w1',
        version: 11,
        heardMs: 250,
        awaited: 'apply',
      },
      { address: 'tcp://b:1', role: 'lost', ...range },
    ]);
    assert.equal(waits.length, 1);
    ledger.release();
  });
});
