import assert from 'node:assert/strict';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { HANDSHAKE_MS, READ_MS } from '../tunables.js';
import { createHandshakes } from './handshakes.js';

const MOST_MS = HANDSHAKE_MS + READ_MS;

describe('handshakes', () => {
  function watch() {
    const clock = createSimulatedClock();
    const told: number[] = [];
    const handshakes = createHandshakes(clock, () => told.push(clock.now()));
    return { clock, told, handshakes };
  }

  it('that never came are noticed when their time has passed, each once', () => {
    const { clock, told, handshakes } = watch();
    handshakes.accepted();
    clock.advance(20_000);
    for (const good of [true, false, true]) {
      handshakes.accepted();
      if (good) handshakes.ended();
    }
    clock.advance(60_000);
    assert.deepEqual(told, [MOST_MS, 20_000 + MOST_MS]);
  });

  it('are noticed among others that go well, as soon as those become fewer', () => {
    const { clock, told, handshakes } = watch();
    const random = createRandom('handshakes');
    for (let at = 0; at < 1000; at++) {
      handshakes.accepted();
      if (at % 250 !== 100) clock.after(random.below(HANDSHAKE_MS), () => handshakes.ended());
      clock.advance(random.below(500));
    }
    clock.advance(MOST_MS);
    assert.equal(told.length, 4);
    assert.equal(clock.nextDue(), undefined);
  });

  it('that all go well are never held against anybody', () => {
    const { clock, told, handshakes } = watch();
    const random = createRandom('handshakes');
    for (let at = 0; at < 1000; at++) {
      handshakes.accepted();
      // Up to what libzmq grants, and some time until it is read.
      clock.after(random.below(MOST_MS - 100), () => handshakes.ended());
      clock.advance(random.below(500));
    }
    clock.advance(60_000);
    assert.deepEqual(told, []);
  });

  it('leave no timers behind', () => {
    const { clock, told, handshakes } = watch();
    handshakes.accepted();
    clock.advance(HANDSHAKE_MS + READ_MS / 2);
    handshakes.accepted();
    handshakes.close();
    clock.advance(60_000);
    assert.deepEqual(told, []);
  });
});
