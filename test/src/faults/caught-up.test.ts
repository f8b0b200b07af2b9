import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { JobResult } from '@tutti/run';
import { createRandom, createSimulatedClock, type SimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { slowed } from '../programs/slowed.js';
import { simulate } from '../simulation/cluster.js';

/** Some steps pass until whoever does not answer is given up for good. */
const GRADIENT_MS = 600;

describe('workers that are killed one after the other with the servers in their processes', () => {
  for (const aggregation of ['coordinator', 'server'] as const)
    it(`take no weights along, if whoever has come is given what the others have: sums at the ${aggregation}`, async () => {
      const program = regression({ features: 9, examples: 24, epochs: 6, batchSize: 8 });
      const settings = { chunkFloats: 2 };
      const { digest } = await runLocal(program, { workers: 0, ...settings }).result;
      let replaced = 0;
      for (let seed = 0; seed < 15; seed++) {
        const random = createRandom('hosted replicas in turn', seed);
        // With two workers one range has two holders, with four each of two has.
        const workers = 2 + random.below(3);
        const living = Array.from({ length: workers }, (_, at) => at);
        let [joined, caughtUp, steps, next] = [0, 0, 0, 1 + random.below(4)];
        const { result, events } = await simulate({
          ...{ program, workers, seed, servers: 'colocated', replicas: 1, minWorkers: 1 },
          ...{ aggregation, settings },
          worker: (_at, clock) => ({ program: slowed(program, clock, GRADIENT_MS) }),
          onEvent({ event }) {
            if (event === 'step') steps++;
            if (event === 'server-caught-up') caughtUp++;
          },
          disturb(network, _clock, join) {
            if (steps < next || caughtUp < joined) return;
            next = steps + random.below(3);
            network.crash(`worker-${living.splice(random.below(living.length), 1)[0]}`);
            living.push(workers + joined++);
            join();
          },
        });
        assert.equal(result.digest, digest, `seed ${seed}`);
        const done = events.flatMap((event) => (event.event === 'step' ? [event.step] : []));
        assert.deepEqual(
          done,
          Array.from({ length: 18 }, (_, at) => at + 1),
          `seed ${seed}`,
        );
        replaced += caughtUp;
      }
      assert.ok(replaced > 30, `${replaced} were given what others have`);
    });
});

describe('a worker that is cut off, and whose server another has taken the place of,', () => {
  it('is told that it was replaced once the cut heals, and computes on', async () => {
    const program = regression({ features: 9, examples: 24, epochs: 12, batchSize: 8 });
    const { digest } = await runLocal(program, { workers: 0 }).result;
    const clock = createSimulatedClock();
    const network = createMemoryNetwork({ clock, random: createRandom('cut off', 1) });
    const on = (host: string) => ({ transport: network.transport(host), clock });
    const steps: number[] = [];
    const replaced: unknown[] = [];
    const coordinator = await createCoordinator({
      address: 'coordinator:1',
      servers: 'colocated',
      settings: { workers: 2, replicas: 1, minWorkers: 1 },
      onEvent: (event) => event.event === 'step' && steps.push(event.step),
      ...on('coordinator'),
    }).start();
    async function join(at: number) {
      const host = `host-${at}`;
      const server = await createServer({
        address: `${host}:1`,
        onEvent({ at: _, ...event }) {
          if (event.event === 'replaced') replaced.push({ at, ...event });
        },
        ...on(host),
      }).start();
      const worker = createWorker({
        program: slowed(program, clock, GRADIENT_MS),
        ...{ coordinator: 'coordinator:1', name: `w${at}`, server: server.addresses[0] },
        ...on(host),
      }).start();
      return [server, worker] as const;
    }
    const all = [coordinator, ...(await join(0)), ...(await join(1))];
    await drive(clock, () => steps.includes(3));
    network.cut('coordinator', 'host-1');
    all.push(...(await join(2)));
    await drive(clock, () => steps.includes(20));
    assert.deepEqual(replaced, []);
    network.heal('coordinator', 'host-1');
    let ends: PromiseSettledResult<unknown>[] | undefined;
    void Promise.allSettled(all.map(({ result }) => result)).then((settled) => {
      ends = settled;
    });
    await drive(clock, () => ends !== undefined);
    assert.deepEqual(
      ends!.map(({ status }) => status),
      all.map(() => 'fulfilled'),
    );
    assert.equal((await coordinator.result).digest, digest);
    assert.deepEqual(
      steps,
      Array.from({ length: 36 }, (_, at) => at + 1),
    );
    const { job } = await coordinator.result;
    const reason = 'nothing was heard for 3 s';
    assert.deepEqual(replaced, [{ at: 1, event: 'replaced', job, by: 'host-2:1', reason }]);
  });
});

describe('a server that was given up long ago, and is all that is left of its range,', () => {
  it('is not trusted by another coordinator: the job begins anew', async () => {
    const program = regression({ features: 9, examples: 24, epochs: 6, batchSize: 8 });
    const settings = { chunkFloats: 2 };
    const { digest } = await runLocal(program, { workers: 0, ...settings }).result;
    for (const aggregation of ['coordinator', 'server'] as const) {
      const clock = createSimulatedClock();
      const network = createMemoryNetwork({ clock, random: createRandom('stale', 1) });
      const on = (host: string) => ({ transport: network.transport(host), clock });
      // Two ranges, and the standby of each.
      const hosts = [0, 1, 2, 3].map((at) => `server-${at}`);
      const servers = await Promise.all(
        hosts.map((host) => createServer({ address: `${host}:1`, ...on(host) }).start()),
      );
      const steps: number[] = [];
      const coordinator = () =>
        createCoordinator({
          address: 'coordinator:1',
          servers: hosts.map((host) => ({ connect: `${host}:1` })),
          settings: { workers: 1, replicas: 1, aggregation, ...settings },
          newId: () => `id-${clock.now()}`,
          onEvent: (event) => event.event === 'step' && steps.push(event.step),
          ...on('coordinator'),
        }).start();
      const lost = await coordinator();
      const worker = createWorker({
        program: slowed(program, clock, GRADIENT_MS),
        coordinator: 'coordinator:1',
        ...on('worker'),
      }).start();
      const reaches = (step: number) => () => steps.includes(step);
      await drive(clock, reaches(3));
      network.cut('coordinator', 'server-2');
      await drive(clock, reaches(9));
      for (const host of ['coordinator', 'server-0']) network.crash(host);
      network.heal('coordinator', 'server-2');
      const before = steps.length;
      const { result } = await coordinator();
      let end: JobResult | undefined;
      result.then((settled) => {
        end = settled;
      }, assert.fail);
      await drive(clock, () => end !== undefined);
      assert.equal(end!.digest, digest);
      assert.equal(steps[before], 1);
      const all = [lost, worker, ...servers];
      for (const each of all) each.result.catch(() => {});
      let stopped = false;
      void Promise.allSettled(all.map((each) => each.stop())).then(() => {
        stopped = true;
      });
      await drive(clock, () => stopped);
    }
  });
});

async function drive(clock: SimulatedClock, isOver: () => boolean) {
  while (!isOver()) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.step();
    assert.ok(clock.now() < 400_000, 'it stands still');
  }
}
