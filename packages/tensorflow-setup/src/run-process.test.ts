import assert from 'node:assert/strict';
import type { Clock } from '@tutti/runtime';
import { runProcess } from './run-process.js';

const node = (script: string) => ['-e', script];

describe('runProcess', () => {
  it('returns what the program wrote', async () => {
    const args = node('process.stdout.write("out"); process.stderr.write("err")');
    assert.equal(await runProcess(process.execPath, args, { limitMs: 60_000 }), 'out');
  });

  it('tells the code and the last lines of a program that failed', async () => {
    const args = node('console.error("compiling"); console.error("no space"); process.exit(3)');
    const running = runProcess(process.execPath, args, { limitMs: 60_000 });
    await assert.rejects(running, /ended with code 3: compiling \| no space$/);
  });

  it('tells the signal that ended a program', async () => {
    const args = node('process.kill(process.pid, "SIGILL")');
    const running = runProcess(process.execPath, args, { limitMs: 60_000 });
    await assert.rejects(running, /was ended by SIGILL/);
  });

  it('tells that there is no such program', async () => {
    const running = runProcess('tutti-no-such-program', [], { limitMs: 60_000 });
    await assert.rejects(running, /tutti-no-such-program: there is no such program/);
  });

  it('ends a program that takes too long', async () => {
    const due: Clock = {
      now: () => 0,
      wallTime: () => 0,
      turn: () => Promise.resolve(),
      after: (_delay, task) => {
        setImmediate(task);
        return { cancel: () => {} };
      },
    };
    const args = node('setInterval(() => {}, 1000)');
    const running = runProcess(process.execPath, args, { limitMs: 7_000, clock: due });
    await assert.rejects(running, /did not end within 7 s/);
  });

  it('ends the program when it is stopped', async () => {
    const signal = AbortSignal.abort();
    const args = node('setInterval(() => {}, 1000)');
    const running = runProcess(process.execPath, args, { limitMs: 60_000, signal });
    await assert.rejects(running, { code: 'ABORTED' });
  });
});
