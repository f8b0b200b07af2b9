import assert from 'node:assert/strict';
import { MAX_CHUNK_FLOATS } from '@tutti/parameters';
import type { ProgramDescription } from '@tutti/protocol';
import { type JobSettings, resolvePlan } from './plan.js';

const description: ProgramDescription = {
  name: 'program',
  hash: 'abc',
  parameters: [{ name: 'w', shape: [3] }],
  trainingExamples: 103,
  evaluationExamples: 0,
  defaults: { batchSize: 16, epochs: 2, seed: 1, optimizer: { name: 'sgd', learningRate: 0.1 } },
};

/** One that is started for the first time, on one server. */
const planOf = (settings: JobSettings, workers: number) =>
  resolvePlan({ description, settings, workers });

describe('plan', () => {
  it('takes the settings before the program, and the shards from the batch size where nobody names them', () => {
    const plan = planOf({ batchSize: 10, learningRate: 0.5 }, 2);
    assert.equal(plan.batchSize, 10);
    assert.equal(plan.stepsPerEpoch, 11);
    assert.equal(plan.steps, 22);
    assert.equal(plan.shards, 2);
    assert.equal(plan.optimizer.learningRate, 0.5);
    assert.equal(planOf({ steps: 5 }, 0).steps, 5);
    for (const workers of [0, 1, 4]) assert.equal(planOf({ batchSize: 256 }, workers).shards, 8);
  });

  it('cuts the parameters so that each server has some, and keeps the cut of a run that goes on', () => {
    const large = { ...description, parameters: [{ name: 'w', shape: [225_034] }] };
    const init = { description: large, settings: {}, workers: 1 };
    const whole = resolvePlan(init);
    assert.equal(whole.chunkFloats, undefined);
    const cut = resolvePlan({ ...init, servers: 3 });
    assert.equal(cut.chunkFloats, 65_536);
    assert.equal(resolvePlan({ ...init, previous: cut, servers: 1 }).chunkFloats, 65_536);
    assert.equal(resolvePlan({ ...init, previous: whole, servers: 3 }).chunkFloats, undefined);
  });

  it('takes chunks as large as a message can carry', () => {
    assert.equal(planOf({ chunkFloats: MAX_CHUNK_FLOATS }, 1).chunkFloats, MAX_CHUNK_FLOATS);
  });

  it('refuses what cannot be, with the value', () => {
    const refused = (settings: JobSettings, message: RegExp, workers = 1) =>
      assert.throws(() => planOf(settings, workers), { code: 'BAD_CONFIG', message });
    refused({ batchSize: 0 }, /batchSize is 0/);
    refused({ shards: 2 }, /3 workers .* only 2 shards/, 3);
    refused({ seed: 0.5 }, /seed is 0.5/);
    refused({ chunkFloats: 0 }, /chunkFloats is 0/);
    refused({ chunkFloats: MAX_CHUNK_FLOATS + 1 }, /chunkFloats is 1048577/);
    refused({ optimizer: { name: 'sgd', learningRate: -1 } }, /learningRate is -1/);
  });
});
