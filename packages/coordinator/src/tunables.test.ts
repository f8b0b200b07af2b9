import assert from 'node:assert/strict';
import type { Transport } from '@tutti/protocol';
import fc from 'fast-check';
import { farewellMs, namesakeMs } from './tunables.js';

const transport = (peerTimeoutMs?: number): Transport => ({
  ...(peerTimeoutMs === undefined ? {} : { peerTimeoutMs }),
  listen: () => Promise.reject(new Error('not here')),
  connect() {
    throw new Error('not here');
  },
});

describe('what follows from the silence of a peer', () => {
  it('is longer than that, whatever it is set to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600_000 }), (peerTimeoutMs) => {
        assert.ok(farewellMs(transport(peerTimeoutMs)) > peerTimeoutMs);
        assert.ok(namesakeMs(transport(peerTimeoutMs)) > peerTimeoutMs);
      }),
    );
  });

  it('is 4 s for the last word and 5 s for a name, of the usual 2 s', () => {
    for (const usual of [transport(), transport(2000)]) {
      assert.equal(farewellMs(usual), 4000);
      assert.equal(namesakeMs(usual), 5000);
    }
  });
});
