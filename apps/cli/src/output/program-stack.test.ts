import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { programStack } from './program-stack.js';

const OURS = ['/home/a/node_modules/@tutti'];
const stackOf = (...frames: string[]) =>
  ['TypeError: tf.layers.dens is not a function', ...frames.map((each) => `    at ${each}`)].join(
    '\n',
  );

describe('the stack of what a program threw', () => {
  const program = 'model (/home/a/program.ts:20:19)';
  const within = 'withRandom (/home/a/node_modules/@tutti/tensorflow/src/tfjs/seeded.ts:14:12)';
  const node = 'process.processTicksAndRejections (node:internal/process/task_queues:95:5)';
  const tfjs = 'apply (/home/a/node_modules/@tensorflow/tfjs-layers/dist/topology.js:1:1)';

  it('ends with the last call of the program', () => {
    const whole = stackOf(tfjs, within, program, within, node);
    assert.equal(programStack(whole, OURS), stackOf(tfjs, within, program));
  });

  it('stays as it is where nothing of it is of the program', () => {
    const whole = stackOf(within, node);
    assert.equal(programStack(whole, OURS), whole);
    assert.equal(programStack('no stack', OURS), 'no stack');
  });

  it('is without what this checkout called it by', () => {
    const ours = new Error('here').stack!.split('\n')[1]!;
    const sibling = `at task (${createRequire(import.meta.url).resolve('@tutti/runtime')}:1:1)`;
    const whole = [stackOf(program), `    ${sibling}`, ours].join('\n');
    assert.match(ours, /program-stack\.test/);
    assert.equal(programStack(whole), stackOf(program));
  });
});
