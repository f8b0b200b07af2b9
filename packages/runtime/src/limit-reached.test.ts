import assert from 'node:assert/strict';
import { errorToRecord } from './errors.js';
import { limitReached } from './limit-reached.js';

const withCode = (code: string, message: string) => Object.assign(new Error(message), { code });

describe('a limit of the system', () => {
  for (const [error, remedy] of [
    [withCode('EMFILE', "EMFILE: too many open files, open 'x'"), /ulimit -n/],
    [withCode('ENOMEM', 'ENOMEM: not enough memory, read'), /memory/],
    [withCode('ERR_WORKER_OUT_OF_MEMORY', 'Worker terminated'), /memory/],
    [new RangeError('Array buffer allocation failed'), /memory/],
    [new Error('The service was stopped: write EPIPE'), /memory/],
    [withCode('EAGAIN', 'spawn node EAGAIN'), /processes/],
  ] as const)
    it(`is no fault of Tutti: ${error.message}`, () => {
      const record = errorToRecord(error);
      assert.equal(record.code, 'LIMIT');
      assert.match(record.remedy, remedy);
      assert.ok(record.message.includes(error.message));
    });

  it('of open files is what keeps modules from being found where it is low', () => {
    const error = withCode('ERR_MODULE_NOT_FOUND', "Cannot find package 'x'");
    assert.match(limitReached(error, 90)?.remedy ?? '', /ulimit -n/);
    assert.equal(limitReached(error, 1024), undefined);
  });

  it('is not what any other error says', () => {
    assert.equal(limitReached(new Error('The program stopped')), undefined);
    assert.equal(limitReached('EMFILE'), undefined);
    assert.equal(errorToRecord(new Error('x')).code, 'INTERNAL');
  });
});
