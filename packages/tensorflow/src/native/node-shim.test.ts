import assert from 'node:assert/strict';
import { restoreRemovedUtilities } from './node-shim.js';

describe('restoreRemovedUtilities', () => {
  it('adds what Node 23 removed', () => {
    const util: Record<string, unknown> = {};
    restoreRemovedUtilities(util);
    const { isNullOrUndefined, isArray } = util as Record<string, (value: unknown) => boolean>;
    const values = [undefined, null, 0, '', [], {}];
    assert.deepEqual(values.map(isNullOrUndefined!), [true, true, false, false, false, false]);
    assert.deepEqual(values.map(isArray!), [false, false, false, false, true, false]);
  });

  it('leaves alone what Node still has', () => {
    const isArray = () => true;
    const util: Record<string, unknown> = { isArray };
    restoreRemovedUtilities(util);
    assert.equal(util.isArray, isArray);
  });
});
