import assert from 'node:assert/strict';
import { errorFromRecord, errorToRecord, TuttiError } from './errors.js';

describe('an error that crosses processes', () => {
  it('keeps what it says, and the stack of what was thrown first, however often it is passed on', () => {
    const cause = new TypeError('shapes differ');
    const thrown = new TuttiError('PROGRAM_FAILED', 'It threw: shapes differ', {
      remedy: 'Correct it.',
      cause,
      details: { step: 3 },
    });
    const once = errorFromRecord(errorToRecord(thrown));
    const twice = errorToRecord(once);
    assert.deepEqual(twice, {
      code: 'PROGRAM_FAILED',
      message: 'It threw: shapes differ',
      remedy: 'Correct it.',
      details: { step: 3 },
      stack: cause.stack,
    });
  });
});
