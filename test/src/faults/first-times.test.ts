import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { SimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Computation, Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';

/** Longer than a worker may be silent over what it has done before, which is 15 s. */
const FIRST_MS = 40_000;
const USUAL_MS = 5;

/**
 * A program that makes something for each size of batch, when it first meets one: `firstMs` on the
 * simulated clock, in which its process says nothing. Later ones of that size take `usualMs`.
 */
function building(
  program: Program,
  clock: SimulatedClock,
  firstMs = FIRST_MS,
  usualMs = USUAL_MS,
): Program {
  return {
    ...program,
    async open(): Promise<Computation> {
      const computation = await program.open();
      const built = new Set<string>();
      const take = (size: string) => {
        const ms = built.has(size) ? usualMs : firstMs;
        built.add(size);
        return new Promise<void>((resolve) => void clock.after(ms, resolve));
      };
      return {
        ...computation,
        async gradient(weights, microBatch) {
          await take(`gradient ${microBatch.batch.y!.shape[0]}`);
          return computation.gradient(weights, microBatch);
        },
        async evaluate(weights, batch) {
          await take(`evaluation ${batch.y!.shape[0]}`);
          return computation.evaluate(weights, batch);
        },
      };
    },
  };
}

const lost = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.event === 'worker-left' && !event.politely ? [event] : []));

/** Micro-batches of 2 and 3; 13 examples in the last step of an epoch, some shards with 1 or none. */
const program = { ...regression({ batchSize: 29, shards: 13, epochs: 2 }), evaluationBatchSize: 5 };

describe('the first time of a size', () => {
  let digest: string;
  before(async () => {
    ({ digest } = await runLocal(program, { workers: 0 }).result);
  });

  const slowly = {
    worker: (_: number, clock: SimulatedClock) => ({ program: building(program, clock) }),
  };
  // The steps of all first times together.
  const deadlines = { stepMs: 600_000, joinMs: 600_000 };

  for (const workers of [1, 2, 5])
    it(`is waited for, in gradients and evaluations, also late in the run (${workers} workers)`, async () => {
      const { result, events } = await simulate({
        program,
        workers,
        seed: 1,
        deadlines,
        ...slowly,
      });
      assert.deepEqual(lost(events), []);
      assert.equal(result.digest, digest);
    });

  it('is waited for of who joins later, when all others have managed it', async () => {
    let [killed, joined] = [false, false];
    let version = 0;
    const { result, events } = await simulate({
      program,
      workers: 2,
      seed: 2,
      deadlines,
      ...slowly,
      onEvent(event) {
        if (event.event === 'step') version = event.step;
      },
      disturb(network, _clock, join) {
        if (!killed && version === 5) network.crash('worker-1');
        killed ||= version === 5;
        if (killed && !joined) join();
        joined ||= killed;
      },
    });
    assert.deepEqual(
      lost(events).map(({ worker }) => worker),
      ['w1'],
    );
    assert.equal(result.digest, digest);
  });

  it('is waited for after a run went on from a checkpoint', async () => {
    const checkpoints = createMemoryCheckpoints({ every: { steps: 3 } });
    const { sink } = checkpoints;
    await simulate({ program, workers: 2, seed: 1, checkpoints: sink });
    const resume = checkpoints.resume(3);
    const { result, events } = await simulate({
      program,
      workers: 2,
      seed: 3,
      deadlines,
      resume,
      ...slowly,
    });
    assert.deepEqual(lost(events), []);
    assert.equal(result.digest, digest);
  });

  it('is what a wait is told to be, with the size', async () => {
    const { events } = await simulate({ program, workers: 2, seed: 1, deadlines, ...slowly });
    const waits = events.flatMap((event) => (event.event === 'waiting' ? [event.what] : []));
    const step = waits.find((what) => what.startsWith('send the gradients'));
    assert.match(
      step!,
      /of step 0 \(for the first time with 3 examples at once, which takes longer\)$/,
    );
    const evaluation = waits.find((what) => what.startsWith('evaluate shards'));
    assert.match(
      evaluation!,
      /at version 4 \(for the first time with [1235]( and [235])* examples at once/,
    );
  });

  it('ends too: who hangs in it is dropped after four times as long, and the reason says so', async () => {
    const { result, events } = await simulate({
      program,
      workers: 2,
      minWorkers: 1,
      seed: 1,
      deadlines,
      // The other does all that is left, so slowly that the run is still on when the patience is over.
      worker: (at, clock) => ({
        program: at === 0 ? building(program, clock, 2000, 2000) : hangingAt(program, 3),
      }),
    });
    assert.equal(result.digest, digest);
    const [first, ...more] = lost(events);
    assert.deepEqual(more, []);
    assert.match(
      first!.reason,
      /^it owes gradients of step \d \(for the first time with 3 examples at once, which takes longer\) and was not heard for 6[01]\.\d s$/,
    );
  });
});

function hangingAt(of: Program, size: number): Program {
  return {
    ...of,
    async open() {
      const computation = await of.open();
      return {
        ...computation,
        gradient: (weights, microBatch) =>
          microBatch.batch.y!.shape[0] === size
            ? new Promise<never>(() => {})
            : computation.gradient(weights, microBatch),
      };
    },
  };
}
