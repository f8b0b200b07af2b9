import assert from 'node:assert/strict';
import { withCleanUp } from './with-clean-up.js';

describe('withCleanUp', () => {
  const fail = (message: string) => async () => {
    throw new Error(message);
  };

  it('throws the cause, whatever cleaning up throws', async () => {
    await assert.rejects(withCleanUp(fail('clean-up'), fail('cause')), /^Error: cause$/);
    await assert.rejects(
      withCleanUp(
        () => {
          throw new Error('clean-up');
        },
        () => {
          throw new Error('cause');
        },
      ),
      /^Error: cause$/,
    );
  });

  it('cleans up in both cases, and tells if that fails alone', async () => {
    const done: string[] = [];
    const note = (what: string) => async () => done.push(what);
    assert.equal(await withCleanUp(note('after a result'), () => 3), 3);
    await assert.rejects(withCleanUp(note('after an error'), fail('cause')), /cause/);
    assert.deepEqual(done, ['after a result', 'after an error']);
    await assert.rejects(
      withCleanUp(fail('clean-up'), () => 3),
      /^Error: clean-up$/,
    );
  });
});
