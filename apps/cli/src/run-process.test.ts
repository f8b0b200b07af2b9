import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';
import { inTemporaryFolder, LINE } from './testing.js';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs the command line in a process of its own, since that is what a program can end. */
async function tuttiProcess(args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  const lines = stdout.split('\n').slice(0, -1);
  return { code, stderr, last: JSON.parse(lines.at(-1) ?? '{}') };
}

/** What a program does beside the functions that are called and awaited, and how it is named. */
const FAULTS = {
  'leaves a rejected promise': [
    `Promise.reject(new Error('the reader broke'));`,
    /left a promise rejected that nobody awaits \(.*program\.ts:3:\d+\): the reader broke/,
  ],
  'throws in a timer': [
    `setTimeout(() => { throw new Error('the clock broke'); }, 1);`,
    /threw in a callback \(.*program\.ts:3:\d+\): the clock broke/,
  ],
  'calls process.exit(0)': [
    'process.exit(0);',
    /called process\.exit\(0\) \(.*program\.ts:3:\d+\)/,
  ],
  'calls process.exit(0) and catches all': [
    'try { process.exit(0); } catch {}',
    /called process\.exit\(0\) \(.*program\.ts:3:\d+\)/,
  ],
} as const;

describe('a program that', () => {
  function check(what: keyof typeof FAULTS, args: readonly string[], where = '') {
    return inTemporaryFolder(async (folder) => {
      const [statement, message] = FAULTS[what];
      const program = join(folder, 'program.ts');
      const lines = [
        `import line from ${JSON.stringify(LINE)};`,
        'export default line;',
        `${where}${statement}`,
      ];
      await writeFile(program, `${lines.join('\n')}\n`);
      const [command, ...more] = args;
      const { code, stderr, last } = await tuttiProcess([command!, program, ...more]);
      assert.equal(code, 1, stderr);
      assert.equal(last.event, 'failed');
      assert.equal(last.code, 'PROGRAM_FAILED');
      assert.match(last.message, message);
      // Its own stack, for people.
      assert.match(stderr, /^ {4}at .*program\.ts:3:\d+/m);
    });
  }

  // Processes that were started by another have a channel to it.
  const CHILD = 'if (process.send) ';
  for (const what of Object.keys(FAULTS) as (keyof typeof FAULTS)[])
    it(`${what} is named by tutti train`, () => check(what, ['train', '--workers', '0']));
  for (const what of [
    'leaves a rejected promise',
    'throws in a timer',
    'calls process.exit(0)',
  ] as const)
    it(`${what} in its workers only is named at once`, () =>
      check(what, ['train', '--workers', '2'], CHILD));
  it('calls process.exit(0) in the process of the plain loop only is named at once', () =>
    check('calls process.exit(0)', ['train', '--workers', '0'], CHILD));
  for (const [command, ...more] of [
    ['worker', '--coordinator', 'tcp://127.0.0.1:9'],
    ['eval'],
    ['export'],
    ['replay'],
    ['inspect'],
  ] as const)
    it(`calls process.exit(0) is named by tutti ${command}`, () =>
      check('calls process.exit(0)', [command, ...more]));

  it('throws in a timer is named by tutti worker while that waits for a coordinator', () =>
    check('throws in a timer', ['worker', '--coordinator', 'tcp://127.0.0.1:9']));
});

describe('a service that trains', () => {
  it('keeps its own way to end, and its own handlers', async () => {
    const { default: line } = await import(LINE);
    const own = () => [
      process.exit,
      process.listeners('uncaughtException'),
      process.listeners('unhandledRejection'),
    ];
    const before = own();
    await runLocal(line, { workers: 1 }).result;
    await runLocal(LINE, { workers: 1 }).result;
    assert.deepEqual(own(), before);
  });
});
