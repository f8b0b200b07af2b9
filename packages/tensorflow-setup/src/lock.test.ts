import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@tutti/runtime';
import { type LockOptions, withLock } from './lock.js';

/** Passes the time as soon as somebody waits; heartbeats are never due. */
function eagerClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    wallTime: () => now,
    turn: () => Promise.resolve(),
    after(delayMs, task) {
      if (delayMs >= 5_000) return { cancel: () => {} };
      const handle = setImmediate(() => {
        now += delayMs;
        task();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
}

describe('withLock', () => {
  let folder: string;
  let file: string;
  let lines: string[];
  let options: LockOptions;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-lock-'));
    file = join(folder, 'x.lock');
    lines = [];
    options = { report: (line) => lines.push(line), clock: eagerClock() };
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lets one contender work at a time, and every one in the end', async () => {
    let inside = 0;
    let most = 0;
    let done = 0;
    const contender = () =>
      withLock(file, { ...options, staleAfterMs: Infinity }, async () => {
        most = Math.max(most, ++inside);
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        inside--;
        done++;
      });
    await Promise.all(Array.from({ length: 4 }, contender));
    assert.deepEqual({ most, done }, { most: 1, done: 4 });
    assert.deepEqual(await readdir(folder), [], 'nothing is left behind');
  });

  it('names whom it waits for', async () => {
    let waiting: Promise<void> | undefined;
    await withLock(file, options, async () => {
      waiting = withLock(file, options, async () => {});
      while (lines.length === 0) await new Promise(setImmediate);
    });
    await waiting;
    assert.match(lines.join(), new RegExp(`process ${process.pid} on ${hostname()}`));
  });

  it('is released when the task throws', async () => {
    const failing = withLock(file, options, async () => {
      throw new Error('out of disk');
    });
    await assert.rejects(failing, /out of disk/);
    assert.equal(await withLock(file, options, async () => 'mine'), 'mine');
  });

  it('takes over the lock of a process that died', async () => {
    await writeFile(file, JSON.stringify({ pid: 1234, host: hostname(), token: 'x', beat: 0 }));
    const isAlive = (pid: number) => pid !== 1234;
    assert.equal(await withLock(file, { ...options, isAlive }, async () => 'mine'), 'mine');
    assert.deepEqual(lines, []);
  });

  it('takes over the lock of another host only after its heartbeat stood still', async () => {
    await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x', beat: 0 }));
    const clock = eagerClock();
    await withLock(file, { ...options, clock, staleAfterMs: 3_000 }, async () => {});
    assert.ok(clock.now() >= 3_000, `took over after ${clock.now()} ms`);
  });

  it('takes over a lock that was never written', async () => {
    await writeFile(file, '');
    assert.equal(await withLock(file, options, async () => 'mine'), 'mine');
  });

  it('leaves the lock of a successor alone when it is released late', async () => {
    await withLock(file, options, async () => {
      await rm(file);
      await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', token: 'y', beat: 0 }));
    });
    assert.match(await readFile(file, 'utf8'), /elsewhere/);
  });

  it('stops waiting when it is aborted', async () => {
    await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x', beat: 0 }));
    const stop = new AbortController();
    const waiting = withLock(
      file,
      { ...options, report: () => stop.abort(), signal: stop.signal },
      async () => {},
    );
    await assert.rejects(waiting, { code: 'ABORTED' });
  });
});
