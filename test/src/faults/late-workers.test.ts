import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { createRandom, type SimulatedClock } from '@tutti/runtime';
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
  const program = regression({ epochs: 5 });
  const PATIENCE_MS = 15_000 + 2000;
  /** How long it has for what it computes for the first time. */
  const FIRST_PATIENCE_MS = 60_000 + 2000;

  for (const [what, stage, from, reason] of [
    [
      'in the middle',
      'gradient',
      9,
      /^it owes gradients of step \d+ and was not heard for 1[56]\./,
    ],
    ['in the first step', 'gradient', 1, /^it owes gradients of step \d+ and was not heard/],
    // Others evaluate in its place, so that it comes to owe other things too.
    [
      'in the first evaluation',
      'evaluate',
      0,
      /^it owes gradients of step (1|2)\d \(for the first time with .*\) and was not heard for 6\d/,
    ],
    ['in a later evaluation', 'evaluate', 3, /^it owes gradients of step (1[4-9]|2\d) and was not/],
  ] as const)
    it(`${what} is dropped when patience is over, and others compute what it owes`, async () => {
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
        // 35 steps of at most 4 s, and what was waited for.
        const isFirst = stage === 'evaluate' && from === 0;
        const patienceMs = isFirst ? FIRST_PATIENCE_MS : PATIENCE_MS;
        assert.ok(simulatedMs < 35 * 4000 + 10_000 + patienceMs, `${simulatedMs} ms`);
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

describe('in steps of a few milliseconds, which others do for it too,', () => {
  const CREWS = [
    [2, 2],
    [3, 6],
  ] as const;
  const [GRADIENT_MS, FROM_MS] = [5, 500];
  const shortSteps = (shards: number) =>
    regression({ epochs: 1, examples: 8 * 1500, batchSize: 8, features: 2, shards });

  for (const [workers, shards] of CREWS)
    it(`a worker that hangs is found within 15 s (${workers} workers, ${shards} shards)`, async () => {
      const program = shortSteps(shards);
      for (let seed = 0; seed < 2; seed++) {
        const times = { hung: 0, found: 0 };
        let now = () => 0;
        const { events } = await simulate({
          program,
          workers,
          minWorkers: 1,
          seed,
          worker(at, clock) {
            ({ now } = clock);
            return {
              program: taking(program, clock, (stage) => {
                if (stage !== 'gradient') return 0;
                if (at !== 1 || now() < FROM_MS) return GRADIENT_MS;
                times.hung = now();
                return Number.POSITIVE_INFINITY;
              }),
            };
          },
          onEvent({ event }) {
            if (event === 'worker-left') times.found = now();
          },
        });
        const names = lost(events).map(({ worker }) => worker);
        assert.deepEqual(names, ['w1'], `seed ${seed}`);
        const tookMs = times.found - times.hung;
        assert.ok(tookMs >= 15_000 && tookMs < 15_200, `seed ${seed}: found after ${tookMs} ms`);
      }
    });

  for (const [workers, shards] of CREWS)
    it(`a worker that is cut from the server for 16 s is kept, and goes on (${workers} workers, ${shards} shards)`, async () => {
      const program = shortSteps(shards);
      for (const [seed, direction] of (['both', 'forth'] as const).entries()) {
        const times = { cut: 0, healed: 0, computed: 0 };
        const { events } = await simulate({
          program,
          workers,
          minWorkers: 1,
          seed,
          worker: (at, clock) => ({
            program: taking(program, clock, (stage) => {
              if (stage !== 'gradient') return 0;
              if (at === 1) times.computed = clock.now();
              return GRADIENT_MS;
            }),
          }),
          disturb(network, clock) {
            if (clock.now() < FROM_MS || times.cut > 0) return;
            times.cut = clock.now();
            network.cut('worker-1', 'server-0', direction);
            clock.after(16_000, () => {
              network.heal('worker-1', 'server-0');
              times.healed = clock.now();
              // What it has ordered before still comes where only its own words are lost.
              assert.ok(times.computed < times.cut + 1000, 'it has computed meanwhile');
            });
          },
        });
        assert.deepEqual(lost(events), [], `seed ${seed}`);
        assert.ok(times.healed > 0 && times.computed > times.healed, JSON.stringify(times));
      }
    });
});

/** One of four workers takes five times as long from some step on; there is a spare one. */
describe('one of four workers, five times slower,', () => {
  const lengths = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.event === 'step' ? [event.stepMs] : []));
  const FROM = 12;

  /** Every worker's calls, over all steps. */
  async function run(
    shards: number,
    delayMs: (step: number, slow: boolean) => number,
    { seed = 7 } = {},
  ) {
    const program = regression({ epochs: 6, shards, batchSize: 2 * shards, examples: 12 * shards });
    const expected = await digestAlone(program);
    let calls = 0;
    const { result, events } = await simulate({
      program,
      workers: 4,
      spares: 1,
      seed,
      worker: (at, clock) => ({
        program: taking(program, clock, (stage, step) => {
          if (stage !== 'gradient') return 0;
          calls++;
          return delayMs(step, at === 1);
        }),
      }),
    });
    assert.equal(result.digest, expected);
    // Each also computes its probe, twice.
    return { lengths: lengths(events), calls: calls - 2 * 5, steps: result.steps };
  }

  const slowFrom = (step: number, slow: boolean) => (slow && step >= FROM ? 500 : 100);

  for (const shards of [6, 8, 16])
    it(`makes no step more than 1.3 times longer, from the first on, with ${shards} shards`, async () => {
      for (const seed of [1, 2, 3]) {
        const even = await run(shards, () => 100, { seed });
        const uneven = await run(shards, slowFrom, { seed });
        for (const [step, ms] of uneven.lengths.entries()) {
          const usual = even.lengths[step]!;
          assert.ok(ms <= 1.3 * usual, `step ${step}: ${ms} ms instead of ${usual}`);
        }
      }
    });

  it('makes no step longer with one shard each, but the first: nobody can know before it is late', async () => {
    const even = await run(4, () => 100);
    const uneven = await run(4, slowFrom);
    for (const [step, ms] of uneven.lengths.entries()) {
      const usual = even.lengths[step]!;
      // Late is half as long again; then another computes the whole shard.
      const most = step === FROM ? 2.6 : 1.3;
      assert.ok(ms <= most * usual, `step ${step}: ${ms} ms instead of ${usual}`);
    }
  });

  it('is helped out in the very step in which it is late', async () => {
    const once = await run(4, (step, slow) => (slow && step === FROM ? 5000 : 100));
    assert.ok(Math.max(...once.lengths) < 300, JSON.stringify(once.lengths));
  });

  for (const shards of [4, 6, 16])
    it(`costs nothing while nobody is slow: little is computed twice with ${shards} shards`, async () => {
      const random = createRandom('jitter');
      const jitter = await run(shards, () => 100 * (0.85 + 0.3 * random.next()));
      const needed = jitter.steps * shards;
      assert.ok(jitter.calls <= 1.02 * needed, `${jitter.calls} micro-batches for ${needed}`);
    });
});

describe('one of four workers that is slow to evaluate', () => {
  const program = regression({ epochs: 6, examples: 96, shards: 4 });

  async function took(slowMs: number) {
    const { result, simulatedMs } = await simulate({
      program,
      workers: 4,
      spares: 1,
      seed: 7,
      worker: (at, clock) => ({
        program: taking(program, clock, (stage) =>
          stage === 'evaluate' && at === 1 ? slowMs : 100,
        ),
      }),
    });
    assert.equal(result.digest, await digestAlone(program));
    return simulatedMs;
  }

  it('is helped as with gradients: only the first time anybody waits until it is late', async () => {
    const even = await took(100);
    const uneven = await took(500);
    assert.ok(uneven <= even + 300, `${uneven} ms instead of ${even}`);
    // However late it is.
    const hung = await took(8000);
    assert.ok(hung <= even + 300, `${hung} ms instead of ${even}`);
  });
});

describe('a worker that is slow for a while', () => {
  const program = regression({ epochs: 20, examples: 96, shards: 8 });

  it('loses its shards, is tried now and then, and has them again when it is quick again', async () => {
    const [FROM, TO] = [10, 50];
    const tried: number[] = [];
    const { result, events } = await simulate({
      program,
      workers: 4,
      seed: 3,
      worker: (at, clock) => ({
        program: taking(program, clock, (stage, step) => {
          if (stage !== 'gradient') return 0;
          if (at === 1) tried.push(step);
          return at === 1 && step >= FROM && step < TO ? 500 : 100;
        }),
      }),
    });
    assert.equal(result.digest, await digestAlone(program));
    const all = events.flatMap((event) => (event.event === 'step' ? [event.stepMs] : []));
    const [before, without, after] = [all.slice(1, FROM), all.slice(35, TO), all.slice(80)];
    const longest = (lengths: readonly number[]) => Math.max(...lengths);
    // Two shards each; then three, two or none; then two again. A trial makes no step longer.
    assert.ok(longest(before) < 220, JSON.stringify(before));
    assert.ok(longest(without) < 330, JSON.stringify(without));
    assert.ok(longest(after) < 220, JSON.stringify(after));
    assert.ok(after.length > 30);
    const trials = tried.filter((step) => step >= 35 && step < TO);
    assert.ok(trials.length >= 1 && trials.length <= 2, JSON.stringify(trials));
  });

  it('is tried in each step while it seems quick again, but not when all is done', async () => {
    const short = regression({ epochs: 5, examples: 96, shards: 8 });
    const tried: number[] = [];
    const { result } = await simulate({
      program: short,
      workers: 4,
      seed: 1,
      worker: (at, clock, { connect, ...transport }) => ({
        program: taking(short, clock, (stage, step) =>
          stage === 'gradient' ? (at === 1 && step >= 10 && step < 28 ? 500 : 100) : 0,
        ),
        transport: {
          ...transport,
          connect: (address, handlers) =>
            connect(address, {
              ...handlers,
              message(envelope) {
                const { message } = envelope;
                if (at === 1 && message.type === 'compute') tried.push(message.step);
                handlers.message(envelope);
              },
            }),
        },
      }),
    });
    assert.equal(result.digest, await digestAlone(short));
    assert.equal(result.steps, 30);
    assert.deepEqual(tried, [28, 29]);
  });
});
