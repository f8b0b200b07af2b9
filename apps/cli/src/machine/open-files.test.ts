import assert from 'node:assert/strict';
import { fewOpenFiles } from './open-files.js';

describe('the limit of open files', () => {
  it('is told of before the workers come, if it is too low for them', () => {
    const told = fewOpenFiles(40, 4, 200)!;
    assert.match(told.message, /may have 200 .* may need 288 with 40 workers/);
    assert.match(told.remedy, /ulimit -n 288/);
  });

  it('is nothing to speak of if it is enough, there is none, or the system does not tell', () => {
    assert.equal(fewOpenFiles(18, 4, 200), undefined);
    assert.equal(fewOpenFiles(4096, 8, Number.POSITIVE_INFINITY), undefined);
    assert.equal(fewOpenFiles(4096, 8, undefined), undefined);
  });
});
