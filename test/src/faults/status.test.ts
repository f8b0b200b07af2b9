import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { askStatus } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { type JobStatus, PROTOCOL_VERSION } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

describe('the status of a running job', () => {
  for (const aggregation of ['coordinator', 'server'] as const)
    it(`is told at any moment, whatever the job is doing, and changes nothing in the digest (sums by the ${aggregation})`, async () => {
      const program = regression({ epochs: 1 });
      const expected = await runLocal(program, { workers: 0 }).result;
      const told: JobStatus[] = [];
      const failures: unknown[] = [];
      for (let seed = 0; seed < 12; seed++) {
        let asking = false;
        let asked = 0;
        const { result } = await simulate({
          program,
          workers: 3,
          servers: 2,
          aggregation,
          seed,
          disturb(network, clock) {
            // One at a time: else asking would be most of what happens.
            if (asking) return;
            asking = true;
            const transport = network.transport(`asker-${asked++}`);
            askStatus({ address: 'coordinator:1', transport, clock })
              .then(
                (status) => told.push(status),
                // Whoever asks as it ends sees that it is gone.
                (error) => error.code === 'PEER_LOST' || failures.push(error),
              )
              .finally(() => {
                asking = false;
              });
          },
        });
        assert.equal(result.digest, expected.digest, `seed ${seed}`);
        assert.ok(asked > 10, `${asked} in seed ${seed}`);
      }
      assert.deepEqual(failures, []);
      const phases = new Set(told.map(({ phase }) => phase));
      for (const phase of ['looking for servers', 'opening servers'] as const)
        assert.ok(phases.has(phase), phase);
      for (const phase of ['training', 'evaluating', 'collecting weights'] as const)
        assert.ok(phases.has(phase), phase);
      for (const { phase, workers, servers, steps, step } of told) {
        assert.ok(step <= steps);
        assert.equal(servers.length, 2);
        if (phase !== 'training') continue;
        const shards = workers.flatMap((worker) => worker.shards).sort((a, b) => a - b);
        assert.deepEqual(shards, [0, 1, 2, 3, 4, 5, 6, 7]);
      }
      const awaited = told.flatMap(({ workers }) =>
        workers.flatMap((worker) => worker.awaited ?? []),
      );
      for (const what of [/^send the initial values/, /^send the gradients of shards/, /^evaluate/])
        assert.ok(
          awaited.some((line) => what.test(line)),
          String(what),
        );
      const asked = told.flatMap(({ servers }) =>
        servers.flatMap((server) => server.awaited ?? []),
      );
      for (const what of [/^say what/, /^open its range/, /^apply \d+ chunks/, /^send \d+ chunks/])
        assert.ok(
          asked.some((line) => what.test(line)),
          String(what),
        );
      const versions = told.flatMap(({ servers }) => servers.map(({ version = 0 }) => version));
      assert.ok(Math.max(...versions) > 5, 'nobody sees how far the servers are');
      assert.ok(told.some(({ waits }) => waits.some(({ who }) => who.startsWith('worker w'))));
    });
});

describe('whoever asks for the status is told why there is none:', () => {
  function ask(
    listens: boolean,
    answer?: (send: (protocol: number) => void) => void,
    signal?: AbortSignal,
  ) {
    const clock = createSimulatedClock();
    const network = createMemoryNetwork({ clock, connectDeadlineMs: 2000 });
    const asked = (async () => {
      if (listens) {
        const listener = await network.transport('there').listen('there:1', {
          message(peer) {
            answer?.((protocol) => {
              const stamp = { protocol, job: '', session: '' };
              listener.send(peer, { message: { type: 'finish', ...stamp } });
            });
          },
        });
      }
      const transport = network.transport('here');
      return askStatus({ address: 'there:1', transport, clock, ...(signal && { signal }) });
    })();
    let settled = false;
    asked.then(
      () => {},
      () => {
        settled = true;
      },
    );
    const turn = async (): Promise<void> => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      clock.step();
      if (!settled) return turn();
    };
    return turn().then(() => asked);
  }

  it('and leaves nothing at the signal by which it can be stopped, though it asks every second', async () => {
    const asking = new AbortController();
    const { signal } = asking;
    await assert.rejects(ask(false, undefined, signal), { code: 'PEER_LOST' });
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    asking.abort();
    await assert.rejects(ask(true, undefined, signal), { code: 'ABORTED' });
  });

  it('nobody listens there', () =>
    assert.rejects(ask(false), {
      code: 'PEER_LOST',
      message: /^No coordinator answers at there:1: .*could not be reached within 2 s/,
      remedy: /`tutti train` or `tutti coordinator` printed/,
    }));

  it('it has another protocol version', () =>
    assert.rejects(
      ask(true, (send) => send(PROTOCOL_VERSION + 1)),
      {
        code: 'REFUSED',
        message: `The coordinator at there:1 speaks protocol version ${PROTOCOL_VERSION + 1}, this program version ${PROTOCOL_VERSION}`,
      },
    ));

  it('it does not answer', () =>
    assert.rejects(ask(true), {
      code: 'DEADLINE',
      message: 'Waited 5.0 s for the coordinator at there:1 to say how the job is doing',
    }));
});
