import assert from 'node:assert/strict';
import { parseNetwork } from './network.js';

describe('network', () => {
  it('is a rate, a delay, or both', () => {
    assert.deepEqual(parseNetwork('rate=1gbit,delay=5ms'), { bitsPerSecond: 1e9, delayMs: 5 });
    assert.deepEqual(parseNetwork('delay=250us, rate=2.5mbit'), {
      bitsPerSecond: 2.5e6,
      delayMs: 0.25,
    });
    assert.deepEqual(parseNetwork('rate=64kbit'), { bitsPerSecond: 64_000 });
    assert.deepEqual(parseNetwork(' Delay=1s '), { delayMs: 1000 });
  });

  it('is nothing else', () => {
    const wrong = ['', '1gbit', 'rate=1g', 'rate=1gb', 'rate=0mbit', 'rate=-1mbit', 'delay=5'];
    const more = ['rate=1gbit,', 'rate=1gbit,rate=2gbit', 'loss=1%', 'rate=5ms', 'delay=1gbit'];
    for (const text of [...wrong, ...more]) assert.equal(parseNetwork(text), undefined, text);
  });
});
