import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { Aggregation } from '@tutti/protocol';
import type { JobResult } from '@tutti/run';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { overheard } from '../overheard.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

interface Scenario {
  readonly program: Program;
  readonly seed: number;
  readonly replicas: number;
  readonly aggregation?: Aggregation;
  /** Ticks of the simulation at which a server dies; it is started again unless there are standbys. */
  readonly kills: readonly number[];
}

async function withLostServers({ program, seed, replicas, aggregation, kills }: Scenario) {
  const clock = createSimulatedClock();
  const random = createRandom('lost server', seed);
  const network = createMemoryNetwork({ clock, random });
  const stopping = new AbortController();
  const { signal } = stopping;
  const on = (host: string) => ({ transport: network.transport(host), clock, signal });
  const hosts = Array.from({ length: 2 * (1 + replicas) }, (_, at) => `server-${at}`);
  const startServer = (host: string) => createServer({ address: `${host}:1`, ...on(host) }).start();
  for (const host of hosts) await startServer(host);
  const events: RunEvent[] = [];
  const coordinator = await createCoordinator({
    address: 'coordinator:1',
    servers: hosts.map((host) => ({ connect: `${host}:1` })),
    settings: { workers: 3, replicas, aggregation },
    newId: () => `id-${random.uint32()}`,
    onEvent: (event) => events.push(event),
    ...on('coordinator'),
  }).start();
  const workers = [0, 1, 2].map((at) =>
    createWorker({
      program,
      coordinator: 'coordinator:1',
      name: `w${at}`,
      ...on(`w${at}`),
    }).start(),
  );
  let outcome: { result?: JobResult; error?: unknown } | undefined;
  for (const each of [coordinator, ...workers])
    each.result.catch((error) => {
      outcome ??= { error };
    });
  void coordinator.result.then((result) => {
    outcome ??= { result };
  });
  const living = [...hosts];
  for (let tick = 0; outcome === undefined; tick++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (kills.includes(tick) && living.length > 0) {
      const victim = living[random.below(living.length)]!;
      network.crash(victim);
      // With standbys one of each range may go for good.
      if (replicas > 0) living.length = 0;
      else clock.after(50 + random.below(2000), () => void startServer(victim));
    }
    assert.ok(clock.step() || tick < 100_000, 'the simulation stands still');
  }
  const { result, error } = outcome;
  stopping.abort();
  let done = false;
  void Promise.allSettled([coordinator, ...workers].map((each) => each.result)).then(() => {
    done = true;
  });
  while (!done) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.step();
  }
  if (error !== undefined) throw error;
  return { digest: result!.digest, events };
}

describe('a worker that is killed with the server in its process, while another holds the same', () => {
  it('takes no weights along, whenever that is', async () => {
    const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
    const { digest } = await runLocal(program, { workers: 0 }).result;
    let begunAnew = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = createRandom('hosted replica', seed);
      // With four workers each range has two holders, with three one range has three.
      const workers = 2 + random.below(3);
      const kill = 40 + random.below(60 * workers);
      let ticks = 0;
      const attempts = new Set<string>();
      const { result, events } = await simulate({
        ...{ program, workers, seed, servers: 'colocated', replicas: 1, minWorkers: 1 },
        disturb(network) {
          if (ticks++ === kill) network.crash(`worker-${random.below(workers)}`);
        },
        worker: (_at, _clock, transport) => ({
          transport: overheard(transport, (_address, { message }) => {
            if (message.type === 'contribution') attempts.add(message.attempt);
          }),
        }),
      });
      assert.equal(result.digest, digest, `seed ${seed}`);
      const steps = events.flatMap((event) => (event.event === 'step' ? [event.step] : []));
      assert.deepEqual(steps, [1, 2, 3, 4, 5, 6], `seed ${seed}`);
      if (attempts.size > 1) begunAnew++;
    }
    assert.ok(begunAnew > 0, 'no step was ever begun anew for a server that lacked something');
  });
});

describe('a server that is killed', () => {
  const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
  const recomputed = (events: readonly RunEvent[]) =>
    events.filter(({ event }) => event === 'step').length - 6;

  it('takes the run back by itself, which ends with the same digest, whenever it dies', async () => {
    const expected = await runLocal(program, { workers: 0 }).result;
    let back = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom('server kills', seed);
      const kills = Array.from({ length: 1 + random.below(2) }, () => 10 + random.below(300));
      const { digest, events } = await withLostServers({ program, seed, replicas: 0, kills });
      assert.equal(digest, expected.digest, `seed ${seed}, kills at ${kills}`);
      back += recomputed(events);
    }
    assert.ok(back > 0, 'no run ever went back');
  });

  for (const aggregation of ['coordinator', 'server'] as const)
    it(`is replaced by its standby, and the run does not go back: sums at the ${aggregation}`, async () => {
      const expected = await runLocal(program, { workers: 0 }).result;
      for (let seed = 0; seed < 30; seed++) {
        const random = createRandom('standby', seed);
        const init = { program, seed, replicas: 1, aggregation, kills: [10 + random.below(300)] };
        const { digest, events } = await withLostServers(init);
        assert.equal(digest, expected.digest, `seed ${seed}, kill at ${init.kills}`);
        assert.equal(recomputed(events), 0, `seed ${seed}`);
      }
    });
});
