import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import { type CoordinatorInit, createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { digestOf, type JobResult, type Resume, type ResumePoint, resolvePlan } from '@tutti/run';
import { createRandom, createSimulatedClock, TuttiError } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';

/** Two chunks, so that both servers hold something; no checkpoints. */
const PROGRAM = regression({
  features: 66_000,
  examples: 24,
  epochs: 2,
  batchSize: 8,
  optimizer: { name: 'adagrad', learningRate: 0.1 },
});

const random = createRandom('first weights');
const FIRST = Float32Array.from({ length: 66_001 }, () => random.next() - 0.5);

/** As `--from`, with weights that are in memory: the simulated clock does not wait for a disk. */
const begin: Resume = async ({ description, settings, workers, servers = 1 }) => {
  const firstWeights = { digest: digestOf(FIRST), path: 'memory' };
  const plan = resolvePlan({ description, settings, workers, servers, firstWeights });
  return pointOf(plan);
};

const pointOf = (plan: ResumePoint['plan']): ResumePoint => ({
  ...{ plan, job: undefined, path: 'memory', step: 0, flat: FIRST.slice() },
  slots: [new Float32Array(FIRST.length).fill(0.1)],
});

const SERVERS = ['server-0', 'server-1'];

interface Scenario {
  readonly seed: number;
  /** Ticks of the simulation, and what dies then; all are started again. */
  readonly kills: ReadonlyMap<number, 'coordinator' | 'server'>;
  readonly beginAgain: NonNullable<CoordinatorInit['beginAgain']>;
}

async function disturbed({ seed, kills, beginAgain }: Scenario) {
  const clock = createSimulatedClock();
  const random = createRandom('lost first weights', seed);
  const network = createMemoryNetwork({ clock, random });
  const stopping = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const on = (host: string) => ({ transport: network.transport(host), clock, signal });
  const events: RunEvent[] = [];
  const results: Promise<unknown>[] = [];
  let outcome: { result?: JobResult; error?: unknown } | undefined;
  let incarnation = 0;

  const startServer = async (host: string) => {
    const server = await createServer({ address: `${host}:1`, ...on(host) }).start();
    results.push(server.result);
  };
  /** With nothing but its addresses when it is started again. */
  async function startCoordinator(resume?: Resume) {
    const mine = ++incarnation;
    const { result } = await createCoordinator({
      address: 'coordinator:1',
      servers: SERVERS.map((host) => ({ connect: `${host}:1` })),
      settings: { workers: 3 },
      newId: () => `id-${random.uint32()}`,
      ...(resume && { resume }),
      beginAgain,
      onEvent: (event) => mine === incarnation && events.push(event),
      ...on('coordinator'),
    }).start();
    results.push(result);
    result.then(
      (value) => {
        if (mine === incarnation) outcome ??= { result: value };
      },
      (error) => {
        if (mine === incarnation) outcome ??= { error };
      },
    );
  }

  for (const host of SERVERS) await startServer(host);
  await startCoordinator(begin);
  for (const name of ['w0', 'w1', 'w2']) {
    const init = { program: PROGRAM, coordinator: 'coordinator:1', name, ...on(name) };
    results.push(createWorker(init).start().result);
  }
  for (let tick = 0; outcome === undefined; tick++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const victim = kills.get(tick);
    if (victim === 'coordinator') {
      network.crash('coordinator');
      clock.after(50 + random.below(2000), () => void startCoordinator());
    } else if (victim === 'server') {
      const host = SERVERS[random.below(2)]!;
      network.crash(host);
      clock.after(50 + random.below(2000), () => void startServer(host));
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
  return { digest: outcome.result!.digest, events };
}

/** What the plain loop comes to from there. */
async function plain(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-from-'));
  try {
    const from = join(folder, 'first.safetensors');
    await writeSafetensors(from, [
      { name: 'w', shape: [66_000], values: FIRST.slice(0, -1) },
      { name: 'b', shape: [1], values: FIRST.slice(-1) },
    ]);
    return (await runLocal(PROGRAM, { workers: 0, from }).result).digest;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a run that began with the weights of another and lost its own', () => {
  const beginAgain = async (plan: ResumePoint['plan']) => pointOf(plan);
  const backs = (events: readonly RunEvent[]) =>
    events.filter(({ event, ...rest }) => /to version 0 \(memory\)/.test(JSON.stringify(rest)));

  it('goes back to them, whenever a server dies', async () => {
    const expected = await plain();
    let back = 0;
    for (let seed = 0; seed < 10; seed++) {
      const random = createRandom('server kills', seed);
      const kills = new Map([[5 + random.below(300), 'server' as const]]);
      const { digest, events } = await disturbed({ seed, kills, beginAgain });
      assert.equal(digest, expected, `seed ${seed}, kills at ${[...kills.keys()]}`);
      back += backs(events).length;
    }
    assert.ok(back > 2, `went back ${back} times only`);
  });

  it('does so under a coordinator that was started again, and knows of them from the servers', async () => {
    const expected = await plain();
    let back = 0;
    for (let seed = 0; seed < 6; seed++) {
      const random = createRandom('coordinator kills', seed);
      const first = 150 + random.below(50);
      const kills = new Map<number, 'coordinator' | 'server'>([
        [first, 'coordinator'],
        [first + 50 + random.below(100), 'server'],
      ]);
      const { digest, events } = await disturbed({ seed, kills, beginAgain });
      assert.equal(digest, expected, `seed ${seed}, kills at ${[...kills.keys()]}`);
      back += backs(events).length;
    }
    assert.ok(back > 0, 'no run ever went back');
  });

  it('ends with the reason if they are gone, and not with other weights', async () => {
    const gone = new TuttiError('BAD_CHECKPOINT', 'memory cannot be used: it is gone.', {
      remedy: 'Bring it back.',
    });
    let refused = 0;
    const expected = await plain();
    for (let seed = 0; seed < 5; seed++) {
      const kills = new Map([[100 + 20 * seed, 'server' as const]]);
      const scenario = { seed, kills, beginAgain: () => Promise.reject(gone) };
      const digest = await disturbed(scenario).then(
        (run) => run.digest,
        (error) => {
          assert.equal(error, gone);
          refused++;
          return expected;
        },
      );
      assert.equal(digest, expected);
    }
    assert.ok(refused > 0, 'no run ever had to go back');
  });
});
