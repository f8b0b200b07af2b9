import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { JobResult } from '@tutti/run';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';

interface Scenario {
  readonly program: Program;
  readonly seed: number;
  readonly replicas: number;
  /** Ticks of the simulation at which a server dies; it is started again unless there are standbys. */
  readonly kills: readonly number[];
}

async function withLostServers({ program, seed, replicas, kills }: Scenario) {
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
    settings: { workers: 3, replicas },
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

  it('is replaced by its standby, and nothing is computed twice', async () => {
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom('standby', seed);
      const kills = [10 + random.below(300)];
      const { digest, events } = await withLostServers({ program, seed, replicas: 1, kills });
      assert.equal(digest, expected.digest, `seed ${seed}, kill at ${kills}`);
      assert.equal(recomputed(events), 0, `seed ${seed}`);
    }
  });
});
