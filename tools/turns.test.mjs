import assert from 'node:assert/strict';
import { createTurns } from './turns.mjs';

describe('createTurns', () => {
  it('shows one after the other, each as soon as it may', () => {
    let shown = '';
    const turns = createTurns((text) => {
      shown += text;
    });
    const [a, b, c] = [turns.take(), turns.take(), turns.take()];
    b.write('b1 ');
    c.write('c1 ');
    a.write('a1 ');
    assert.equal(shown, 'a1 ');
    c.end();
    a.end();
    assert.equal(shown, 'a1 b1 ');
    b.write('b2 ');
    assert.equal(shown, 'a1 b1 b2 ');
    b.end();
    assert.equal(shown, 'a1 b1 b2 c1 ');
  });
});
