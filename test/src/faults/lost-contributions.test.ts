import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { Envelope, Transport } from '@tutti/protocol';
import { createRandom } from '@tutti/runtime';
import { altered } from '../programs/altered.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

const chunkFloats = 4;
const PROGRAM = regression();
const expected = runLocal(PROGRAM, { workers: 0, chunkFloats }).result;

const common = {
  ...{ program: PROGRAM, workers: 3, servers: 2, minWorkers: 1 },
  aggregation: 'server',
  settings: { chunkFloats },
} as const;

/** A worker's way to the others, on which some of what it says is lost without anybody noticing. */
const leaking = (
  transport: Transport,
  isLost: (envelope: Envelope) => boolean,
  to?: string,
): Transport => ({
  ...transport,
  connect(address, handlers) {
    const connection = transport.connect(address, handlers);
    if (to !== undefined && address !== to) return connection;
    const send = (envelope: Envelope) => void (isLost(envelope) || connection.send(envelope));
    return { ...connection, send };
  },
});

describe('what a worker contributes to a server', () => {
  for (const replicas of [0, 1])
    it(`is computed again if the connection is lost, whenever that is, with ${replicas} replicas`, async () => {
      const { digest } = await expected;
      for (let seed = 0; seed < 40; seed++) {
        const random = createRandom('cut', seed);
        const cuts = new Set(Array.from({ length: 3 }, () => 40 + random.below(600)));
        let ticks = 0;
        const { result, events } = await simulate({
          ...{ ...common, replicas, seed },
          disturb(network) {
            if (cuts.has(ticks++))
              network.reset(
                `worker-${random.below(3)}`,
                `server-${random.below(2 * (1 + replicas))}`,
              );
          },
        });
        assert.equal(result.digest, digest, `seed ${seed}`);
        const lost = events.filter(({ event }) => event === 'worker-left' || event === 'warning');
        assert.deepEqual(lost, [], `seed ${seed}`);
      }
    });

  it('is computed again by all if one server has gone on with it, and another that holds the same lacks it', async () => {
    const program = regression({ examples: 40, batchSize: 2, epochs: 2 });
    const { digest } = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 20; seed++) {
      /** Nothing is decided there, and so nobody waits for the other server. */
      const step = 5 + (seed % 10);
      let lost = 0;
      const attempts = new Set<string>();
      const isLost = ({ message }: Envelope) => {
        if (message.type !== 'contribution') return false;
        attempts.add(message.attempt);
        return message.step === step && lost++ === 0;
      };
      const { result, events } = await simulate({
        ...{ program, workers: 2, replicas: 1, aggregation: 'server', seed },
        worker: (at, clock, transport) => ({
          // So slow that the weights after a step that is computed again come before it is.
          program: altered(program, async (result) => {
            await new Promise<void>((resolve) => void clock.after(5, resolve));
            return result;
          }),
          transport: leaking(transport, isLost, at === 1 ? 'server-1:1' : 'nowhere'),
        }),
      });
      assert.equal(result.digest, digest, `seed ${seed}`);
      assert.ok(attempts.size > 1, `seed ${seed}`);
      const others = events.filter(({ event }) => event === 'worker-left' || event === 'warning');
      assert.deepEqual(others, [], `seed ${seed}`);
    }
  });

  it('is missed if it does not arrive, and others compute it', async () => {
    const { digest } = await expected;
    for (let seed = 0; seed < 10; seed++) {
      const { result, events } = await simulate({
        ...common,
        seed,
        worker: (at, _clock, transport) =>
          at === 1
            ? {
                transport: leaking(
                  transport,
                  ({ message }) => message.type === 'contribution' && message.step >= 3,
                ),
              }
            : {},
      });
      assert.equal(result.digest, digest, `seed ${seed}`);
      const left = events.filter((event) => event.event === 'worker-left');
      assert.equal(left[0]?.worker, 'w1');
      assert.match(left[0]!.reason, /it owes gradients of step 3 and was not heard/);
    }
  });
});
