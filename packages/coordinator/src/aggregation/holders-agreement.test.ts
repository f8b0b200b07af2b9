import assert from 'node:assert/strict';
import { createHoldersAgreement } from './holders-agreement.js';

describe('an agreement of the servers that hold the same', () => {
  it('is reached once all that live have come there, also as one of the others is lost', () => {
    let living = [0, 2];
    const agreement = createHoldersAgreement({ holders: () => living });
    agreement.add(5, 0);
    assert.ok(agreement.has(5, 0));
    assert.ok(!agreement.has(5, 2));
    assert.ok(!agreement.isReached(5));
    living = [0];
    assert.ok(agreement.isReached(5));
    assert.ok(!agreement.isReached(4));
  });

  it('counts the chunks that somebody has come to, be it lost since', () => {
    let living = [0, 1];
    const agreement = createHoldersAgreement({ holders: () => living });
    agreement.add(0, 0);
    agreement.add(0, 1);
    agreement.add(1, 1);
    living = [0];
    assert.equal(agreement.size(), 2);
    assert.ok(!agreement.isReached(1));
    agreement.clear();
    assert.equal(agreement.size(), 0);
  });
});
