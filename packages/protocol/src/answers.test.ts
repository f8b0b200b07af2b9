import assert from 'node:assert/strict';
import { type Answers, answer, unexpected } from './answers.js';
import type { AskerToCoordinator, WorkerToServer } from './directions.js';
import type { Message } from './messages.js';

const stamp = { protocol: 1, job: 'j', session: 's' };

describe('the answers of a role', () => {
  it('are given to the messages that it expects, and to no other', () => {
    const said: unknown[] = [];
    const answers: Answers<WorkerToServer | AskerToCoordinator, string> = {
      contribution: (from, { chunk }, payload) => void said.push(from, chunk, payload.length),
      pull: (from, { version }, payload) => void said.push(from, version, payload),
      refused: (_from, { error }) => void said.push(error.message),
      status: (from) => void said.push(from),
    };
    assert.equal(answer(answers, 'w0', { message: { ...stamp, type: 'pull', version: 7 } }), true);
    assert.deepEqual(said, ['w0', 7, undefined]);
    assert.equal(answer(answers, 'w0', { message: { ...stamp, type: 'leave' } }), false);
    // In another protocol version the type can be any text.
    for (const type of ['toString', 'constructor', '__proto__'])
      assert.equal(
        answer(answers, 'w0', { message: { ...stamp, type } as never as Message }),
        false,
      );
    assert.equal(said.length, 3);
  });

  it('name, of a message that is not expected, who was sent what by whom', () => {
    const { code, message } = unexpected('worker', 'apply', 'coordinator');
    assert.equal(code, 'REFUSED');
    assert.equal(message, 'A worker takes no message of type apply from a coordinator');
  });
});
