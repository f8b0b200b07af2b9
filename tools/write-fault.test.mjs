import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFault } from './write-fault.mjs';

describe('what keeps a user from writing', () => {
  it('has the code of the system', () => {
    assert.equal(writeFault(tmpdir()), undefined);
    assert.equal(writeFault(join(tmpdir(), 'not', 'there')), 'ENOENT');
  });
});
