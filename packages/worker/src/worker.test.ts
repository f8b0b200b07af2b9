import assert from 'node:assert/strict';
import { createDeadEnd } from './link/testing.js';
import { defineProgram } from './program/program.js';
import { createWorker, type WorkerInit } from './worker.js';

const program = defineProgram({
  data: () => assert.fail(),
  parameters: [{ name: 'w', shape: [1] }],
  initialize: () => assert.fail(),
  gradient: () => assert.fail(),
  evaluate: () => assert.fail(),
  optimizer: { name: 'sgd', learningRate: 1 },
  ...{ batchSize: 1, epochs: 1, seed: 1 },
});

for (const key of ['name', 'programHash', 'server'])
  it(`a worker whose ${key} is no text is refused before it opens its program`, async () => {
    const { transport } = createDeadEnd();
    const init = { program, coordinator: 'tcp://head:1', transport, [key]: 5 };
    await assert.rejects(createWorker(init as unknown as WorkerInit).start().result, {
      code: 'BAD_CONFIG',
      message: `${key} of createWorker is 5`,
    });
  });
