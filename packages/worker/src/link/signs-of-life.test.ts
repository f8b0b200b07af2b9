import assert from 'node:assert/strict';
import type { Body } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createSignsOfLife } from './signs-of-life.js';

/** When something is said. */
function begin() {
  const clock = createSimulatedClock();
  const said: number[] = [];
  let spokeAt = 0;
  const enrolment = {
    spokeAt: () => spokeAt,
    send(body: Body) {
      assert.deepEqual(body, { type: 'waiting', version: 7 });
      spokeAt = clock.now();
      said.push(spokeAt);
    },
  };
  const signs = createSignsOfLife({ enrolment, clock });
  return { clock, said, wait: () => signs.begin(7) };
}

describe('a worker that waits for weights', () => {
  it('says so every second, until it has something to do', () => {
    const { clock, said, wait } = begin();
    const end = wait();
    clock.advance(2500);
    end();
    clock.advance(5000);
    assert.deepEqual(said, [1000, 2000]);
  });

  it('says so too if it only ever waits for a moment, but not each time', () => {
    const { clock, said, wait } = begin();
    for (let waits = 0; waits < 50; waits++) {
      const end = wait();
      clock.advance(50);
      end();
    }
    assert.deepEqual(said, [1000, 2000]);
  });

  it('is silent if it only waits for a moment between things that it says itself', () => {
    const { clock, said, wait } = begin();
    const end = wait();
    clock.advance(999);
    end();
    assert.deepEqual(said, []);
  });
});
