import assert from 'node:assert/strict';
import { createSimulatedClock } from './clock.js';
import { createGathering } from './gathering.js';

describe('a gathering', () => {
  it('tells the first few of each kind, counts the others, and says how many with the next', () => {
    const clock = createSimulatedClock();
    const gather = createGathering({ clock, atOnce: 2, periodMs: 60_000 });
    const told: string[] = [];
    for (let i = 0; i < 339; i++) {
      gather('a', (others) => told.push(`a${others}`));
      if (i < 2) gather('b', (others) => told.push(`b${others}`));
    }
    assert.deepEqual(told.splice(0), ['a', 'b', 'a', 'b']);
    clock.advance(60_000);
    for (let i = 0; i < 3; i++) gather('a', (others) => told.push(`a${others}`));
    assert.deepEqual(told, ['a, and 337 others before it', 'a']);
  });
});
