import assert from 'node:assert/strict';
import { readEvent } from './read-event.js';
import { epoch, finished, started, stepEvent } from './testing.js';

const told = (event: object) => JSON.parse(JSON.stringify({ ...event, at: 7, job: 'j1' }));

describe('an event that was written', () => {
  it('is read as it was told, with the NaN that JSON has not', () => {
    for (const event of [
      started,
      stepEvent(3, { loss: Number.NaN, metrics: { accuracy: Number.NaN } }),
      { ...epoch, evaluation: { loss: Number.NaN, metrics: { accuracy: Number.NaN } } },
      { ...finished, modelPath: null },
    ])
      assert.deepEqual(readEvent(told(event)), { ...event, at: 7, job: 'j1' });
  });

  it('is passed over if it is something else', () => {
    for (const other of [
      ...[null, 3, 'text', [], {}, { event: 'step' }, { event: 'toString', at: 7 }],
      { ...told(started), at: '7' },
      { ...told(stepEvent(3)), loss: '0.5' },
      { ...told(stepEvent(3)), metrics: { accuracy: 'high' } },
      { ...told(finished), digest: undefined },
    ])
      assert.equal(readEvent(other), undefined, JSON.stringify(other));
  });
});
