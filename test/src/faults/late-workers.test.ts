import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { SimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Computation, Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

const digestAlone = async (program: Program) =>
  (await runLocal(program, { workers: 0 }).result).digest;

type Stage = 'initialize' | 'gradient' | 'evaluate';

/** A program whose calls take as long on the simulated clock as `delayMs` says; for ever if Infinity. */
function taking(
  program: Program,
  clock: SimulatedClock,
  delayMs: (stage: Stage, step: number) => number,
): Program {
  const after = <T>(ms: number, compute: () => T | Promise<T>): T | Promise<T> =>
    ms === 0
      ? compute()
      : new Promise<T>((resolve) => {
          if (Number.isFinite(ms)) clock.after(ms, () => resolve(compute()));
        });
  return {
    ...program,
    async open(): Promise<Computation> {
      const computation = await program.open();
      let [probes, evaluations] = [0, 0];
      return {
        ...computation,
        initialize: (seed) =>
          // The first time for the probe, which everybody computes before it takes part.
          probes++ === 0
            ? computation.initialize(seed)
            : after(delayMs('initialize', 0), () => computation.initialize(seed)),
        gradient: (weights, microBatch) =>
          after(delayMs('gradient', microBatch.step), () =>
            computation.gradient(weights, microBatch),
          ),
        evaluate: (weights, batch) =>
          after(delayMs('evaluate', evaluations++), () => computation.evaluate(weights, batch)),
      };
    },
  };
}

const lost = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.event === 'worker-left' ? [event] : []));

describe('a worker that hangs', () => {
  const program = regression({ epochs: 3 });
  const PATIENCE_MS = 15_000 + 2000;

  for (const [what, stage, from, reason] of [
    [
      'in the middle',
      'gradient',
      9,
      /^it owes gradients of step \d+ and was not heard for 1[56]\./,
    ],
    ['in the first step', 'gradient', 1, /^it owes gradients of step \d+ and was not heard/],
    ['in the first evaluation', 'evaluate', 0, /^it owes an evaluation of version 7 and was not/],
    ['in a later evaluation', 'evaluate', 3, /^it owes an evaluation of version 14 and was not/],
  ] as const)
    it(`${what} is dropped within 15 s, and others compute what it owes`, async () => {
      const expected = await digestAlone(program);
      for (let seed = 0; seed < 5; seed++) {
        const { result, events, simulatedMs } = await simulate({
          program,
          workers: 3,
          minWorkers: 1,
          seed,
          worker: (at, clock) => ({
            program: taking(program, clock, (of, step) => {
              if (of !== stage) return of === 'gradient' ? 1000 : 0;
              const usual = of === 'gradient' ? 1000 : 1;
              return at === 1 && step >= from ? Number.POSITIVE_INFINITY : usual;
            }),
          }),
        });
        assert.equal(result.digest, expected, `seed ${seed}`);
        const [first, ...more] = lost(events);
        assert.deepEqual(more, []);
        assert.equal(first?.worker, 'w1');
        assert.match(first.reason, reason);
        // 21 steps of at most 4 s, and what was waited for.
        assert.ok(simulatedMs < 21 * 4000 + 10_000 + PATIENCE_MS, `${simulatedMs} ms`);
      }
    });

  it('in making the initial values is not waited for', async () => {
    let asked = 0;
    const { result, events, simulatedMs } = await simulate({
      program,
      workers: 3,
      minWorkers: 1,
      seed: 5,
      worker: (_, clock) => ({
        program: taking(program, clock, (stage) =>
          // Whoever is asked first: nobody knows who that will be.
          stage === 'initialize' && asked++ === 0 ? Number.POSITIVE_INFINITY : 0,
        ),
      }),
    });
    assert.equal(result.digest, await digestAlone(program));
    assert.equal(lost(events).length, 1);
    assert.match(lost(events)[0]!.reason, /^it owes the initial values and was not heard for 15/);
    assert.ok(simulatedMs < PATIENCE_MS + 2000, `${simulatedMs} ms`);
  });

  it('is not mistaken for one that takes long over what all take long over', async () => {
    const { result, events } = await simulate({
      program: regression({ epochs: 1 }),
      workers: 2,
      seed: 1,
      worker: (_, clock) => ({
        program: taking(regression({ epochs: 1 }), clock, (stage) =>
          stage === 'initialize' ? 40_000 : 11_000,
        ),
      }),
    });
    assert.deepEqual(lost(events), []);
    assert.equal(result.digest, await digestAlone(regression({ epochs: 1 })));
  });
});

describe('one of four workers, five times slower,', () => {
  const program = regression({ epochs: 8, shards: 4 });
  let expected: string;
  before(async () => {
    expected = await digestAlone(program);
  });
  const run = (delayMs: (step: number, slow: boolean) => number) =>
    simulate({
      program,
      workers: 4,
      spares: 1,
      seed: 7,
      worker: (at, clock) => ({
        program: taking(program, clock, (stage, step) =>
          stage === 'gradient' ? delayMs(step, at === 1) : 0,
        ),
      }),
    });
  const lengths = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.event === 'step' ? [event.stepMs] : []));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;

  for (const [since, from] of [
    ['the first step', 1],
    ['the middle of the run', 20],
  ] as const)
    it(`since ${since}, makes a step at most 1.3 times longer when there is a spare worker`, async () => {
      const even = await run(() => 100);
      // Not in its probe: whoever joins last would be the spare one.
      const uneven = await run((step, slow) => (slow && step >= from ? 500 : 100));
      assert.equal(even.result.digest, expected);
      assert.equal(uneven.result.digest, expected);
      // Over all steps, also those before it was found out.
      const usual = mean(lengths(even.events));
      const all = lengths(uneven.events);
      assert.ok(mean(all) <= 1.3 * usual, `${mean(all)} ms instead of ${usual}`);
      const found = all.findIndex((_, at) => all.slice(at).every((ms) => ms <= 1.3 * usual));
      assert.ok(found > from && found <= from + 10, JSON.stringify(all.map(Math.round)));
    });

  it('is helped out in the very step in which it is late', async () => {
    const once = await run((step, slow) => (slow && step === 30 ? 5000 : 100));
    assert.equal(once.result.digest, expected);
    const longest = Math.max(...lengths(once.events));
    assert.ok(longest < 400, `${longest} ms`);
  });
});
