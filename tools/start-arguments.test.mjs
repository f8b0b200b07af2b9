import assert from 'node:assert/strict';
import { COMMANDS } from '@tutti/config';
import { needsTensorflow, startArguments, WITHOUT_PROGRAM } from './start-arguments.mjs';

const EXAMPLE = 'examples/src/mnist-convnet.ts';
const started = (...args) => startArguments(args, COMMANDS);

describe('startArguments', () => {
  it('trains the example when nothing is said', () => {
    assert.deepEqual(started(), ['train', EXAMPLE]);
  });

  it('passes options through, in their order', () => {
    const options = ['--workers', '2', '--json'];
    assert.deepEqual(started(...options), ['train', EXAMPLE, ...options]);
    assert.deepEqual(started('--help'), ['train', EXAMPLE, '--help']);
  });

  it('trains the program that is named, wherever it stands', () => {
    assert.deepEqual(started('mine.ts'), ['train', 'mine.ts']);
    const args = ['--workers', '2', 'lib/mine.mjs'];
    assert.deepEqual(started(...args), ['train', ...args]);
  });

  it('leaves every command as it is', () => {
    for (const command of [...COMMANDS, 'help']) {
      const args = [command, 'mine.ts', '--json'];
      assert.deepEqual(started(...args), args);
    }
    assert.deepEqual(started('--version'), ['--version']);
  });
});

describe('needsTensorflow', () => {
  it('is true for what computes', () => {
    for (const args of [[], ['--workers', '2'], ['mine.ts'], ['worker', 'mine.ts']])
      assert.ok(needsTensorflow(args), args.join(' '));
  });

  it('is false for help and for commands that take no program', () => {
    for (const args of [['--help'], ['eval', '-h'], ['--version'], ['doctor'], ['status']])
      assert.ok(!needsTensorflow(args), args.join(' '));
    for (const command of WITHOUT_PROGRAM)
      if (command !== 'help') assert.ok(COMMANDS.includes(command), command);
  });
});
