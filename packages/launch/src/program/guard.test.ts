import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { TuttiError } from '@tutti/runtime';
import { type GuardedProcess, guardProgram } from './guard.js';
import { isOfTutti } from './place.js';

/** A process that can end, and what is told of it. */
function guarded() {
  const told: TuttiError[] = [];
  const ended: (number | undefined)[] = [];
  const host = Object.assign(new EventEmitter(), {
    exit: (code?: number) => void ended.push(code),
  });
  const { exit } = guardProgram(host as unknown as GuardedProcess, (error) => told.push(error));
  return { host, exit: exit as (code: number) => void, told, ended };
}

describe('the guard of a program', () => {
  it('tells the first fault, whatever was thrown', () => {
    const error = Object.assign(new TypeError('x is no function'), {
      stack: 'TypeError: x is no function\n    at file:///home/me/program.ts:1:2',
    });
    for (const thrown of ['a word', undefined, null, 7, error]) {
      const { host, told } = guarded();
      host.emit('unhandledRejection', thrown);
      host.emit('uncaughtException', new Error('what follows from it'));
      assert.equal(told.length, 1);
      assert.equal(told[0]!.code, 'PROGRAM_FAILED');
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      assert.ok(told[0]!.message.endsWith(`: ${reason}`), told[0]!.message);
    }
  });

  it('keeps an error that says itself what to do', () => {
    const { host, told } = guarded();
    const error = new TuttiError('BAD_DATA', 'x.csv is torn', { remedy: 'Mend it.' });
    host.emit('unhandledRejection', error);
    assert.deepEqual(told, [error]);
  });

  it('lets nobody but its owner end the process', () => {
    const { host, exit, told, ended } = guarded();
    assert.throws(() => host.exit(3), { code: 'PROGRAM_FAILED', message: /process\.exit\(3\)/ });
    assert.throws(() => host.exit(), /process\.exit\(0\)/);
    assert.equal(told.length, 1);
    assert.deepEqual(ended, []);
    exit(1);
    assert.deepEqual(ended, [1]);
  });

  it('blames nobody for what Node.js itself does where a thread cannot be started', () => {
    const { host, told } = guarded();
    const { stackTraceLimit } = Error;
    const stack =
      '    at InternalWorker.emit (node:events:524:28)\n    at [kOnExit] (node:internal/worker:322:10)';
    const { prepareStackTrace } = Error;
    try {
      Error.prepareStackTrace = (error) => `${error}\n${stack}`;
      assert.throws(() => host.exit(1), { code: 'LIMIT' });
    } finally {
      Object.assign(Error, { prepareStackTrace, stackTraceLimit });
    }
    assert.match(told[0]!.remedy, /ulimit -v/);
  });

  it('blames Tutti for what is thrown in Tutti, and not for what only passes through it', () => {
    const thrownIn = (...places: string[]) =>
      Object.assign(new Error('x'), {
        stack: ['Error: x', ...places.map((place) => `    at f (${place}:1:2)`)].join('\n'),
      });
    const own = new URL('./guard.ts', import.meta.url).pathname;
    const other = '/home/me/node_modules/csv/index.js';
    assert.equal(isOfTutti(thrownIn(own, 'node:internal/timers')), true);
    assert.equal(isOfTutti(thrownIn(other, own)), true);
    assert.equal(isOfTutti(thrownIn('/home/me/program.ts', own)), false);
    assert.equal(isOfTutti(thrownIn(own, 'file:///home/me/program.ts')), false);
    assert.equal(isOfTutti(thrownIn(other)), false);
    assert.equal(isOfTutti('a word'), false);
    const { host, told } = guarded();
    host.emit('uncaughtException', thrownIn(own));
    assert.equal(told[0]!.code, 'INTERNAL');
  });
});
