import assert from 'node:assert/strict';
import { restoreRemovedUtilities } from './node-shim.js';

describe('restoreRemovedUtilities', () => {
  it('adds what newer versions of Node lack', () => {
    const util: Record<string, unknown> = {};
    restoreRemovedUtilities(util);
    const { isNullOrUndefined, isArray } = util as Record<string, (value: unknown) => boolean>;
    const values = [undefined, null, 0, '', [], {}];
    assert.deepEqual(values.map(isNullOrUndefined!), [true, true, false, false, false, false]);
    assert.deepEqual(values.map(isArray!), [false, false, false, false, true, false]);
  });

  it('replaces what Node still has, but warns about', () => {
    const util: Record<string, unknown> = {
      isArray() {
        throw new Error('DEP0044');
      },
    };
    restoreRemovedUtilities(util);
    assert.equal((util.isArray as (value: unknown) => boolean)([]), true);
  });
});
