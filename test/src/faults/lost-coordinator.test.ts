import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { JobResult } from '@tutti/run';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';

/**
 * Runs a job whose coordinator is killed at the given ticks of the simulation and started again a
 * while later, with nothing but its address and the servers'. If those have standbys, one dies with
 * it the first time, for good; and where one of three workers is enough, two of them do.
 */
async function withLostCoordinators(
  program: Program,
  seed: number,
  kills: readonly number[],
  options: {
    readonly replicas?: number;
    /** Whether each worker has a server on its host, of which the new coordinator knows nothing. */
    readonly colocated?: boolean;
    readonly minWorkers?: number;
  } = {},
): Promise<JobResult & { readonly tookMs: number }> {
  const { replicas = 0, colocated = false, minWorkers } = options;
  const clock = createSimulatedClock();
  const random = createRandom('lost coordinator', seed);
  const network = createMemoryNetwork({ clock, random });
  const stopping = new AbortController();
  const { signal } = stopping;
  const on = (host: string) => ({ transport: network.transport(host), clock, signal });
  const servers = await Promise.all(
    Array.from({ length: colocated ? 3 : 2 * (replicas + 1) }, (_, at) => {
      const host = colocated ? `w${at}` : `server-${at}`;
      return createServer({ address: `${host}:1`, ...on(host) }).start();
    }),
  );
  let lost = replicas === 0;
  const startCoordinator = () =>
    createCoordinator({
      address: 'coordinator:1',
      servers: colocated
        ? 'colocated'
        : servers.map(({ addresses }) => ({ connect: addresses[0]! })),
      settings: { workers: 3, minWorkers, replicas },
      newId: () => `id-${random.uint32()}`,
      ...on('coordinator'),
    }).start();
  let coordinator = await startCoordinator();
  const workers = [0, 1, 2].map((at) =>
    createWorker({
      program,
      coordinator: 'coordinator:1',
      name: `w${at}`,
      server: colocated ? servers[at]!.addresses[0] : undefined,
      ...on(`w${at}`),
    }).start(),
  );
  let outcome: { result?: JobResult; error?: unknown } | undefined;
  const watch = () =>
    coordinator.result.then(
      (result) => {
        outcome ??= { result };
      },
      (error) => {
        outcome ??= { error };
      },
    );
  watch();
  const failed = workers.map(({ result }) => result.catch((error) => (outcome ??= { error })));
  for (let tick = 0; outcome === undefined; tick++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (kills.includes(tick)) {
      network.crash('coordinator');
      if (!lost) network.crash(`server-${random.below(servers.length)}`);
      lost = true;
      if (minWorkers === 1) for (const host of ['w1', 'w2']) network.crash(host);
      const downMs = 50 + random.below(3000);
      clock.after(downMs, () => {
        void startCoordinator().then((started) => {
          coordinator = started;
          watch();
        });
      });
    }
    assert.ok(clock.step() || tick < 100_000, 'the simulation stands still');
  }
  const tookMs = clock.now();
  stopping.abort();
  const ended = Promise.all([...failed, ...servers.map((server) => server.stop())]);
  let done = false;
  void ended.then(() => {
    done = true;
  });
  while (!done) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.step();
  }
  if (outcome.error !== undefined) throw outcome.error;
  return { ...outcome.result!, tookMs };
}

describe('a coordinator that is killed and started again', () => {
  it('finds its job at the servers and ends with the same digest, whenever it dies', async () => {
    const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 40; seed++) {
      const random = createRandom('kills', seed);
      const kills = Array.from({ length: 1 + random.below(3) }, () => 5 + random.below(300));
      const result = await withLostCoordinators(program, seed, kills);
      assert.equal(result.digest, expected.digest, `seed ${seed}, kills at ${kills}`);
    }
  });

  it('is told by its workers where the servers are that they host', async () => {
    const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 20; seed++) {
      const random = createRandom('kills with hosts', seed);
      const kills = Array.from({ length: 1 + random.below(3) }, () => 5 + random.below(300));
      const { digest, tookMs } = await withLostCoordinators(program, seed, kills, {
        colocated: true,
      });
      assert.equal(digest, expected.digest, `seed ${seed}, kills at ${kills}`);
      assert.ok(tookMs < 15_000, `seed ${seed}, kills at ${kills}: took ${tookMs} ms`);
    }
  });

  it('goes on with as many workers as there must be, where some died with it', async () => {
    const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 20; seed++) {
      const kills = [60 + createRandom('few', seed).below(100)];
      const { digest, tookMs } = await withLostCoordinators(program, seed, kills, {
        minWorkers: 1,
      });
      assert.equal(digest, expected.digest, `seed ${seed}, killed at ${kills}`);
      assert.ok(tookMs < 10_000, `seed ${seed}, killed at ${kills}: took ${tookMs} ms`);
    }
  });

  it('does not wait long for a server that died with it, if that has a standby', async () => {
    const program = regression({ features: 66_000, examples: 24, epochs: 2, batchSize: 8 });
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 20; seed++) {
      const kills = [50 + createRandom('both', seed).below(250)];
      const { digest, tookMs } = await withLostCoordinators(program, seed, kills, { replicas: 1 });
      assert.equal(digest, expected.digest, `seed ${seed}, killed at ${kills}`);
      // 3 s down, 3 s of patience, and the training.
      assert.ok(tookMs < 10_000, `seed ${seed}, killed at ${kills}: took ${tookMs} ms`);
    }
  });
});
