import assert from 'node:assert/strict';
import { awaitAnyone, awaitWorkers } from './shortage.js';

const nobody = { here: [], probing: [], lastLoss: '' };

describe('who waits for workers', () => {
  const point = { address: 'tcp://host:1', deadlineMs: 1 };
  const command = 'tutti worker <program> --coordinator tcp://host:1';

  it('asks the user to start them, where nobody else does', () => {
    const alone = { ...point, starting: false };
    assert.equal(awaitWorkers(alone, 2, nobody).remedy, `Start them: ${command}`);
    assert.equal(awaitAnyone(alone, 'join').remedy, `Start one: ${command}`);
  });

  it('says that they are being started, where somebody does, and how others join', () => {
    const started = { ...point, starting: true };
    assert.equal(
      awaitWorkers(started, 2, nobody).remedy,
      `They are being started; start others: ${command}`,
    );
    assert.equal(
      awaitAnyone(started, 'join').remedy,
      `It is being started; start another: ${command}`,
    );
  });
});
