import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import type { MemoryNetwork } from '@tutti/transport/internal';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { sampleJoin } from './sample-join.js';

const join = sampleJoin('stranger');

/** A stranger that says one thing to `address` in the middle of the run, and what it is told. */
function intruder(address: string, message: Message, payload?: Uint8Array) {
  const heard: Message[] = [];
  let ticks = 0;
  return {
    heard,
    disturb(network: MemoryNetwork) {
      if (ticks++ !== 60) return;
      const connection = network.transport('stranger').connect(address, {
        message: (envelope) => heard.push(envelope.message),
      });
      connection.send(payload === undefined ? { message } : { message, payload });
    },
  };
}

describe('a stranger is refused with a reason, and the run goes on to the same digest:', () => {
  const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };
  const sum = new Uint8Array(32);
  const cases: [string, string, Message, RegExp, Uint8Array?][] = [
    [
      'another protocol version',
      'coordinator:1',
      { ...join, ...stamp, protocol: 99 },
      /version 99/,
    ],
    ['another job', 'coordinator:1', { ...join, ...stamp, job: 'old' }, /job old was sent to job/],
    ['another program', 'coordinator:1', { ...join, ...stamp }, /sources have hash f00d/],
    [
      'another job, at the server',
      'server-0:1',
      { type: 'apply', step: 0, chunk: 0, count: 1, scale: 1, ...stamp, job: 'old' },
      /job old was sent to job/,
      sum,
    ],
    [
      'another version, at the server',
      'server-0:1',
      { ...join, ...stamp, protocol: 0 },
      /version 0/,
    ],
  ];
  for (const [what, address, message, reason, payload] of cases)
    it(what, async () => {
      const program = regression();
      const expected = await runLocal(program, { workers: 0 }).result;
      const { heard, disturb } = intruder(address, message, payload);
      const { result } = await simulate({ program, workers: 2, seed: 5, disturb });
      assert.equal(result.digest, expected.digest);
      const answer = heard[0]!;
      assert.equal(answer.type, 'refused');
      assert.match(answer.type === 'refused' ? answer.error.message : '', reason);
    });

  it('one that claims to be a worker, without its session', async () => {
    const program = regression();
    let job = '';
    const heard: Message[] = [];
    let ticks = 0;
    const { events, result } = await simulate({
      program,
      workers: 2,
      seed: 6,
      disturb(network) {
        job = 'unknown';
        if (ticks++ !== 60) return;
        const connection = network.transport('stranger').connect('coordinator:1', {
          message: (envelope) => heard.push(envelope.message),
        });
        connection.send({
          message: {
            type: 'contribution',
            step: 1,
            lo: 0,
            hi: 1,
            chunk: 0,
            attempt: '',
            ...stamp,
            job,
          },
          payload: sum,
        });
      },
    });
    assert.equal(heard[0]!.type, 'refused');
    assert.ok(events.some(({ event }) => event === 'warning'));
    const expected = await runLocal(program, { workers: 0 }).result;
    assert.equal(result.digest, expected.digest);
  });
});
