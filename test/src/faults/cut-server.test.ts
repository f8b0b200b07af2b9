import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { Aggregation } from '@tutti/protocol';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';

const CUT_MS = 5000;
const SEEDS = 20;

describe('a server that is cut off from the coordinator for a while', () => {
  const program = regression();

  async function run(seed: number, direction: 'forth' | 'both', aggregation: Aggregation) {
    const clock = createSimulatedClock();
    const random = createRandom('cut server', seed);
    const network = createMemoryNetwork({ clock, random });
    const on = (host: string) => ({ transport: network.transport(host), clock });
    const events: RunEvent[] = [];
    const server = await createServer({ address: 'server:1', ...on('server') }).start();
    const coordinator = await createCoordinator({
      address: 'coordinator:1',
      servers: [{ connect: 'server:1' }],
      settings: { workers: 1, aggregation },
      newId: () => `id-${random.uint32()}`,
      onEvent: (event) => events.push(event),
      ...on('coordinator'),
    }).start();
    const worker = createWorker({ program, coordinator: 'coordinator:1', ...on('w') }).start();

    let ended = false;
    const all = Promise.all([coordinator.result, server.result, worker.result]);
    all.finally(() => {
      ended = true;
    });
    const after = 1 + random.below(10);
    let cut = false;
    let healedAt = clock.now();
    while (!ended) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (!cut && events.filter(({ event }) => event === 'step').length >= after) {
        cut = true;
        const [a, b] = seed % 2 === 0 ? ['coordinator', 'server'] : ['server', 'coordinator'];
        network.cut(a!, b!, direction);
        clock.after(CUT_MS, () => {
          healedAt = clock.now();
          network.heal('coordinator', 'server');
        });
      }
      clock.step();
      // The server would give the coordinator up after 120 s.
      assert.ok(clock.now() < 60_000, 'the server goes on without its coordinator');
    }
    const [{ digest }] = await all;
    return { digest, events, lastedMs: clock.now() - healedAt };
  }

  const both = ['coordinator', 'server'] as const;
  for (const [direction, aggregation] of both.flatMap((place) => [
    ['forth', place] as const,
    ['both', place] as const,
  ]))
    it(`(${direction}, sums by the ${aggregation}) is found again, goes on with what it has, and ends with the job`, async () => {
      const expected = await runLocal(program, { workers: 0 }).result;
      let lost = 0;
      for (let seed = 0; seed < SEEDS; seed++) {
        const { digest, events, lastedMs } = await run(seed, direction, aggregation);
        assert.equal(digest, expected.digest, `seed ${seed}`);
        const steps = events.filter(({ event }) => event === 'step').length;
        assert.equal(steps, 14, `seed ${seed}: something was computed twice`);
        assert.ok(lastedMs < 10_000, `seed ${seed}: took ${lastedMs} ms after the cut`);
        if (events.some(({ event }) => event === 'warning')) lost++;
      }
      assert.ok(lost > SEEDS / 2, 'hardly anybody noticed');
    });
});
