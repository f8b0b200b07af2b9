import assert from 'node:assert/strict';
import { createMonitor } from './monitor.mjs';

/** Time passes only in `advance`. */
function createClock() {
  let now = 0;
  const timers = new Set();
  return {
    now: () => now,
    after(ms, task) {
      const timer = { at: now + ms, task };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = due.at;
        due.task();
      }
      now = end;
    },
    timers,
  };
}

describe('a wait of the tools', () => {
  const wait = { who: 'npm', what: 'install the dependencies', remedy: 'See the network.' };

  it('has a line every 10 s, and gives what was waited for', async () => {
    const lines = [];
    const clock = createClock();
    let done;
    const given = new Promise((resolve) => {
      done = resolve;
    });
    const waiting = createMonitor((line) => lines.push(line), clock).race(given, wait);
    clock.advance(9000);
    assert.deepEqual(lines, []);
    clock.advance(12_000);
    assert.deepEqual(
      lines,
      [10, 20].map(
        (s) => `Waiting for npm to install the dependencies, for ${s} s now. See the network.`,
      ),
    );
    done('installed');
    assert.equal(await waiting, 'installed');
    assert.equal(clock.timers.size, 0);
  });

  it('passes on what goes wrong', async () => {
    const clock = createClock();
    const failing = Promise.reject(new Error('no network'));
    await assert.rejects(createMonitor(() => {}, clock).race(failing, wait), /no network/);
    assert.equal(clock.timers.size, 0);
  });
});
