import assert from 'node:assert/strict';
import { createWorkerTimings } from '../workers/timings.js';
import { createSilence } from './silence.js';

const progressMs = 15_000;
const PRESENT = new Set(['w0', 'w1']);

/** Looks every second from `from` until `until`; says when somebody was found to hang. */
function listen(
  silence: ReturnType<typeof createSilence>,
  owing: readonly string[],
  [from, until]: readonly [number, number],
  at: (now: number) => void = () => {},
  first: readonly number[] = [],
): [string, number][] {
  const found: [string, number][] = [];
  const owe = owing.map((worker) => ({ worker, first }));
  for (let now = from; now <= until; now += 1000) {
    at(now);
    for (const { worker } of silence.look(PRESENT, owe, 'gradient', now)) found.push([worker, now]);
  }
  return found;
}

describe('silence', () => {
  it('of 15 s gives away who hangs while others have managed the same', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 20);
    const found = listen(createSilence({ progressMs, timings }), ['w1'], [0, 15_000]);
    assert.deepEqual(found, [['w1', 15_000]]);
  });

  it('is borne four times as long while nobody has managed it yet', () => {
    const silence = createSilence({ progressMs, timings: createWorkerTimings() });
    assert.deepEqual(listen(silence, ['w0', 'w1'], [0, 59_000]), []);
    assert.equal(listen(silence, ['w0', 'w1'], [60_000, 60_000]).length, 2);
  });

  it('is borne as long of who meets a size for the first time, whatever others have managed', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 20);
    const silence = createSilence({ progressMs, timings });
    const none = () => {};
    assert.deepEqual(listen(silence, ['w1'], [0, 30_000], none, [3]), []);
    // Others have done it in its place, and it has not been heard.
    assert.deepEqual(listen(silence, ['w1'], [31_000, 59_000]), []);
    assert.deepEqual(listen(silence, ['w1'], [60_000, 60_000]), [['w1', 60_000]]);
    silence.heard('w1');
    assert.deepEqual(listen(silence, ['w1'], [61_000, 76_000]), [['w1', 76_000]]);
  });

  it('is borne for ten times what the work usually takes', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 4000);
    const silence = createSilence({ progressMs, timings });
    assert.deepEqual(listen(silence, ['w1'], [0, 39_000]), []);
    assert.equal(listen(silence, ['w1'], [40_000, 40_000]).length, 1);
  });

  it('ends with every sign of life, and does not begin before something is owed', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 20);
    const silence = createSilence({ progressMs, timings });
    const heard = listen(silence, ['w1'], [0, 40_000], (now) => {
      if (now % 10_000 === 0) silence.heard('w1');
    });
    assert.deepEqual(heard, []);
    silence.heard('w1');
    assert.deepEqual(listen(silence, [], [41_000, 80_000]), []);
    assert.deepEqual(listen(silence, ['w1'], [81_000, 95_000]), []);
  });

  it('goes on for who was not heard, though others have done what it owed', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 20);
    const silence = createSilence({ progressMs, timings });
    assert.deepEqual(listen(silence, ['w1'], [0, 0]), []);
    assert.deepEqual(listen(silence, [], [1000, 15_000]), [['w1', 15_000]]);
    silence.look(new Set(['w0']), [], 'gradient', 16_000);
    assert.deepEqual(listen(silence, ['w1'], [17_000, 31_000]), [], 'another of its name');
  });

  it('does not count while this process was held up, or when its clock leaps', () => {
    const timings = createWorkerTimings();
    timings.measured('w0', 'gradient', 20);
    const silence = createSilence({ progressMs, timings });
    listen(silence, ['w1'], [0, 5000]);
    assert.deepEqual(listen(silence, ['w1'], [3_600_000, 3_606_000]), []);
    assert.deepEqual(listen(silence, ['w1'], [1000, 2000]), []);
  });
});
