import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { Envelope, Message, Transport } from '@tutti/protocol';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** A worker's way to the others, on which some of what it says becomes something else. */
const lying = (transport: Transport, alter: (envelope: Envelope) => Envelope): Transport => ({
  ...transport,
  connect(address, handlers) {
    const connection = transport.connect(address, handlers);
    return { ...connection, send: (envelope) => connection.send(alter(envelope)) };
  },
});

const count = (message: Message, by: number, step: number): Message =>
  message.type === 'report' && message.step === step
    ? {
        ...message,
        shards: message.shards.map((report) => ({ ...report, count: report.count + by })),
      }
    : message;

describe('a worker that says what cannot be is named and excluded, and the digest is the same:', () => {
  const lies: [what: string, said: RegExp, alter: (envelope: Envelope) => Envelope][] = [
    [
      'an example too many',
      /took \d+ examples of shard \d in step 3: it has \d/,
      (envelope) => ({ ...envelope, message: count(envelope.message, 1, 3) }),
    ],
    [
      'a shard that there is not',
      /shard 99 in step 2: there is no such shard/,
      (envelope) => {
        const { message } = envelope;
        if (message.type !== 'report' || message.step !== 2) return envelope;
        const shards = message.shards.map((report) => ({ ...report, shard: 99 }));
        return { ...envelope, message: { ...message, shards } };
      },
    ],
    [
      'a node that is none',
      /\[1, 7\) of chunk 0 of step 2.* no sum of a node/,
      (envelope) => {
        const { message } = envelope;
        if (message.type !== 'contribution' || message.step !== 2) return envelope;
        return { ...envelope, message: { ...message, lo: 1, hi: 7 } };
      },
    ],
    [
      'a sum of another length',
      /sent 4 bytes for .* of step 2/,
      (envelope) =>
        envelope.message.type === 'contribution' && envelope.message.step === 2
          ? { message: envelope.message, payload: new Uint8Array(4) }
          : envelope,
    ],
  ];
  for (const [what, said, alter] of lies)
    for (const aggregation of ['coordinator', 'server'] as const)
      it(`${what}, where the sums are made by the ${aggregation}`, async () => {
        const program = regression();
        const expected = await runLocal(program, { workers: 0 }).result;
        for (let seed = 0; seed < 10; seed++) {
          const { result, events } = await simulate({
            program,
            workers: 3,
            minWorkers: 1,
            aggregation,
            seed,
            worker: (at, _clock, transport) =>
              at === 1 ? { transport: lying(transport, alter) } : {},
          });
          assert.equal(result.digest, expected.digest);
          const excluded = events.filter((event) => event.event === 'worker-excluded');
          assert.deepEqual(
            excluded.map(({ worker }) => worker),
            ['w1'],
          );
          const warnings = events.flatMap((event) =>
            event.event === 'warning' ? event.message : [],
          );
          assert.ok(
            warnings.some((message) => said.test(message) && message.includes('Worker w1')),
          );
        }
      });
});
