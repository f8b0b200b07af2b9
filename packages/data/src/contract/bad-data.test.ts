import assert from 'node:assert/strict';
import { badData, fileError } from './bad-data.js';

describe('badData', () => {
  it('puts the place before what is wrong', () => {
    const error = badData('it broke', 'Mend it.', { file: 'a.csv', line: 3, offset: 17, found: 1 });
    assert.equal(error.message, 'a.csv, line 3, byte 17: it broke');
    assert.deepEqual(error.details, { file: 'a.csv', line: 3, offset: 17, found: 1 });
    assert.equal(badData('it broke', 'Mend it.').message, 'it broke');
  });
});

describe('fileError', () => {
  it('says what the file system meant and what to do', () => {
    for (const [code, message, remedy] of [
      ['ENOENT', /^a.bin: there is no such file/, /Check the path/],
      ['EACCES', /^a.bin: this process may not read the file/, /right to read/],
      ['EPERM', /may not read/, /right to read/],
      ['EISDIR', /a folder, not a file/, /path of a file/],
      ['ENOTDIR', /a file where a folder was expected/, /path of a folder/],
      ['EMFILE', /too many files/, /ulimit/],
      ['EIO', /cannot be read \(what the system said\)/, /disk/],
    ] as const) {
      const cause = Object.assign(new Error('what the system said'), { code });
      const error = fileError(cause, 'a.bin');
      assert.equal(error.code, 'BAD_DATA');
      assert.match(error.message, message);
      assert.match(error.remedy, remedy);
      assert.equal(error.cause, cause);
      assert.equal(error.details.file, 'a.bin');
    }
  });
});
