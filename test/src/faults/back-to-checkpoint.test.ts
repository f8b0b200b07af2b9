import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { JobResult } from '@tutti/run';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';

interface Scenario {
  readonly program: Program;
  readonly seed: number;
  /** Ticks of the simulation at which something dies. */
  readonly kills: readonly number[];
  /** One server, or the coordinator and all servers together. All are started again. */
  readonly who: 'server' | 'all but workers';
}

const SERVERS = ['server-0', 'server-1'];

/** A run with a checkpoint every second step; the workers outlive everything. */
async function disturbed({ program, seed, kills, who }: Scenario) {
  const clock = createSimulatedClock();
  const random = createRandom('back to a checkpoint', seed);
  const network = createMemoryNetwork({ clock, random });
  const checkpoints = createMemoryCheckpoints({ every: { steps: 2 } });
  const stopping = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const on = (host: string) => ({ transport: network.transport(host), clock, signal });
  const events: RunEvent[] = [];
  /** All that must have ended before the test does. */
  const results: Promise<unknown>[] = [];
  let outcome: { result?: JobResult; error?: unknown } | undefined;
  let incarnation = 0;
  let down = false;

  const startServer = async (host: string) => {
    const server = await createServer({ address: `${host}:1`, ...on(host) }).start();
    results.push(server.result);
  };
  async function startCoordinator() {
    const mine = ++incarnation;
    const coordinator = await createCoordinator({
      address: 'coordinator:1',
      servers: SERVERS.map((host) => ({ connect: `${host}:1` })),
      settings: { workers: 3, minWorkers: 1 },
      newId: () => `id-${random.uint32()}`,
      checkpoints: checkpoints.sink,
      ...(checkpoints.kept.size === 0 ? {} : { resume: checkpoints.resume() }),
      onEvent: (event) => mine === incarnation && events.push(event),
      ...on('coordinator'),
    }).start();
    results.push(coordinator.result);
    coordinator.result.then(
      (result) => {
        if (mine === incarnation) outcome ??= { result };
      },
      (error) => {
        if (mine === incarnation) outcome ??= { error };
      },
    );
  }

  function strike() {
    const downMs = 50 + random.below(2000);
    down = true;
    const servers = who === 'server' ? [SERVERS[random.below(2)]!] : SERVERS;
    for (const host of servers) network.crash(host);
    if (who !== 'server') network.crash('coordinator');
    clock.after(downMs, () => {
      down = false;
      for (const host of servers) void startServer(host);
      if (who !== 'server') void startCoordinator();
    });
  }

  for (const host of SERVERS) await startServer(host);
  await startCoordinator();
  for (const name of ['w0', 'w1', 'w2']) {
    const worker = createWorker({ program, coordinator: 'coordinator:1', name, ...on(name) });
    const { result } = worker.start();
    results.push(result);
    result.catch((error) => {
      outcome ??= { error };
    });
  }
  let due = 0;
  for (let tick = 0; outcome === undefined; tick++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (kills.includes(tick)) due++;
    // A run that has told its end has nothing to come back to.
    if (events.at(-1)?.event === 'finished') due = 0;
    // Without a checkpoint nobody knows the job any more if all are lost.
    if (due > 0 && !down && (who === 'server' || checkpoints.kept.size > 0)) {
      due--;
      strike();
    }
    assert.ok(clock.step() || tick < 100_000, 'the simulation stands still');
  }
  stopping.abort();
  let done = false;
  void Promise.allSettled(results).then(() => {
    done = true;
  });
  while (!done) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.step();
  }
  if (outcome.error !== undefined) throw outcome.error;
  return { result: outcome.result!, events };
}

const PROGRAM = regression({ features: 66_000, examples: 32, epochs: 2, batchSize: 8 });

describe('with checkpoints', () => {
  it('a run whose server lost its weights goes back to the last one, by itself', async () => {
    const expected = await runLocal(PROGRAM, { workers: 0 }).result;
    const places = new Map<string, number>();
    for (let seed = 0; seed < 12; seed++) {
      const random = createRandom('server kills', seed);
      const kills = Array.from({ length: 1 + random.below(2) }, () => 10 + random.below(400));
      const run = { program: PROGRAM, seed, kills, who: 'server' } as const;
      const { result, events } = await disturbed(run);
      assert.equal(result.digest, expected.digest, `seed ${seed}, kills at ${kills}`);
      let newest = 0;
      for (const event of events) {
        if (event.event === 'checkpoint') newest = event.step;
        if (event.event !== 'warning') continue;
        const back = /version (\d+) to version (\d+) \((.*)\)/.exec(event.message);
        if (back === null) continue;
        const [from, to, place] = [Number(back[1]), Number(back[2]), back[3]!];
        assert.equal(to, newest, `seed ${seed}: ${event.message}`);
        assert.equal(place, newest === 0 ? 'the beginning' : `memory/${newest}`);
        assert.ok(from - to <= 2 || newest === 0, `seed ${seed}: ${event.message}`);
        places.set(place, (places.get(place) ?? 0) + 1);
        newest = to;
      }
    }
    assert.ok(places.size > 2, `went back to ${[...places.keys()]} only`);
  });

  it('a run that lost its coordinator and all servers goes on from the last one', async () => {
    const expected = await runLocal(PROGRAM, { workers: 0 }).result;
    let resumed = 0;
    for (let seed = 0; seed < 12; seed++) {
      const random = createRandom('all kills', seed);
      const kills = Array.from({ length: 1 + random.below(2) }, () => 10 + random.below(400));
      const run = { program: PROGRAM, seed, kills, who: 'all but workers' } as const;
      const { result, events } = await disturbed(run);
      assert.equal(result.digest, expected.digest, `seed ${seed}, kills at ${kills}`);
      for (const event of events)
        if (event.event === 'started' && event.resumed !== undefined) resumed++;
    }
    assert.ok(resumed > 6, `only ${resumed} went on from a checkpoint`);
  });
});
