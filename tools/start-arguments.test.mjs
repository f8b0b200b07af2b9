import assert from 'node:assert/strict';
import { startArguments } from './start-arguments.mjs';

const EXAMPLE = 'examples/src/mnist-convnet.ts';

describe('startArguments', () => {
  it('trains the example when nothing is said', () => {
    assert.deepEqual(startArguments([]), { args: ['train', EXAMPLE], native: true });
  });

  it('passes options through, in their order', () => {
    const { args } = startArguments(['--workers', '2', '--json']);
    assert.deepEqual(args, ['train', EXAMPLE, '--workers', '2', '--json']);
  });

  it('trains the program that is named, wherever it stands', () => {
    assert.deepEqual(startArguments(['mine.ts']).args, ['train', 'mine.ts']);
    const { args } = startArguments(['--workers', '2', 'lib/mine.mjs']);
    assert.deepEqual(args, ['train', '--workers', '2', 'lib/mine.mjs']);
  });

  it('leaves commands as they are', () => {
    const command = ['eval', 'mine.ts', '--json'];
    assert.deepEqual(startArguments(command), { args: command, native: true });
  });

  it('needs no TensorFlow to show the options', () => {
    assert.deepEqual(startArguments(['--help']), {
      args: ['train', EXAMPLE, '--help'],
      native: false,
    });
    assert.equal(startArguments(['doctor']).native, false);
  });
});
